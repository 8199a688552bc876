/// The schema, as a list of steps that only grows: version n is what the first n steps made.
///
/// docs/database-schema.md explains the tables.
enum Migrations {
    /// Brings the schema to the newest version; `more[n]` is what this engine adds in version n.
    static func run(on connection: some SQLConnection, more: [Int: [String]], file: String) throws {
        try connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)", [])
        let version = try connection.row("SELECT version FROM schema_version", []) { $0.int(0) }
        if version == nil { try connection.execute("INSERT INTO schema_version (version) VALUES (0)", []) }
        guard version ?? 0 <= self.steps.count else {
            throw StoreError(
                .schemaTooNew,
                """
                \(file) has schema version \(version ?? 0), this Penguin knows \(self.steps.count): \
                run a newer Penguin, or name another file in PENGUIN_DATABASE
                """
            )
        }
        for (index, statements) in self.steps.enumerated().dropFirst(version ?? 0) {
            for statement in statements + (more[index + 1] ?? []) { try connection.execute(statement, []) }
        }
        try connection.execute("UPDATE schema_version SET version = $1", [SQLValue(self.steps.count)])
    }

    static let steps: [[String]] = [Self.ledger + Self.conversations, Self.scheduling]

    private static let ledger = [
        """
        CREATE TABLE jobs (
            id TEXT PRIMARY KEY,
            kind TEXT NOT NULL,
            tenant TEXT NOT NULL,
            lane TEXT NOT NULL,
            lane_position BIGINT NOT NULL,
            lane_head BIGINT NOT NULL,
            priority BIGINT NOT NULL,
            state TEXT NOT NULL,
            conversation_id TEXT,
            agent_id TEXT,
            payload TEXT NOT NULL,
            result TEXT,
            failure TEXT,
            stop_reason TEXT,
            attempt BIGINT NOT NULL DEFAULT 0,
            claims BIGINT NOT NULL DEFAULT 0,
            lost BIGINT NOT NULL DEFAULT 0,
            epoch BIGINT NOT NULL DEFAULT 0,
            worker_id TEXT,
            parent_id TEXT,
            pending_children BIGINT NOT NULL DEFAULT 0,
            idempotency_key TEXT,
            body_hash TEXT,
            run_at BIGINT,
            deadline BIGINT,
            cancel_requested_at BIGINT,
            announced BIGINT NOT NULL DEFAULT 0,
            created_at BIGINT NOT NULL,
            dispatched_at BIGINT,
            started_at BIGINT,
            finished_at BIGINT
        )
        """,
        // Partial indexes: each holds only the jobs that its query is after, so a long history costs nothing.
        "CREATE INDEX jobs_lane ON jobs (lane, lane_position) WHERE finished_at IS NULL",
        """
        CREATE INDEX jobs_ready ON jobs (priority, created_at, id)
            WHERE state = 'queued' AND lane_head = 1
        """,
        "CREATE INDEX jobs_dispatched ON jobs (dispatched_at) WHERE state = 'dispatched'",
        "CREATE INDEX jobs_running ON jobs (worker_id) WHERE state = 'running'",
        "CREATE INDEX jobs_unannounced ON jobs (finished_at) WHERE announced = 0 AND finished_at IS NOT NULL",
        """
        CREATE TABLE steps (
            job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            step BIGINT NOT NULL,
            kind TEXT NOT NULL,
            state TEXT NOT NULL,
            call TEXT,
            result TEXT,
            usage TEXT,
            epoch BIGINT NOT NULL,
            covers TEXT NOT NULL,
            PRIMARY KEY (job_id, step)
        )
        """,
        """
        CREATE TABLE workers (
            id TEXT PRIMARY KEY,
            host TEXT NOT NULL,
            pid BIGINT NOT NULL,
            version TEXT NOT NULL,
            slots BIGINT NOT NULL,
            running BIGINT NOT NULL,
            started_at BIGINT NOT NULL,
            heartbeat_at BIGINT NOT NULL,
            draining BIGINT NOT NULL DEFAULT 0
        )
        """,
    ]

    /// Delays, fairness, retries, parents and children, idempotency, lists, retention.
    private static let scheduling = [
        "ALTER TABLE jobs DROP COLUMN pending_children",
        "ALTER TABLE jobs ADD COLUMN failures BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE jobs ADD COLUMN redrives BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE jobs ADD COLUMN usage TEXT",
        "ALTER TABLE jobs ADD COLUMN child_step BIGINT",
        "ALTER TABLE jobs ADD COLUMN child_index BIGINT",
        "ALTER TABLE jobs ADD COLUMN child_failure TEXT",
        "DROP INDEX jobs_ready",
        """
        CREATE INDEX jobs_ready ON jobs (tenant, priority, created_at, id)
            WHERE state = 'queued' AND lane_head = 1
        """,
        "CREATE INDEX jobs_scheduled ON jobs (run_at) WHERE state = 'scheduled'",
        // What counts against the caps on running and on waiting jobs.
        "CREATE INDEX jobs_open ON jobs (tenant, state, kind) WHERE finished_at IS NULL",
        "CREATE INDEX jobs_children ON jobs (parent_id, child_step, child_index) WHERE parent_id IS NOT NULL",
        "CREATE INDEX jobs_waiting ON jobs (child_failure) WHERE state = 'waiting'",
        "CREATE INDEX jobs_open_children ON jobs (parent_id) WHERE parent_id IS NOT NULL AND finished_at IS NULL",
        """
        CREATE UNIQUE INDEX jobs_idempotency ON jobs (tenant, idempotency_key)
            WHERE idempotency_key IS NOT NULL
        """,
        "CREATE INDEX jobs_keyed ON jobs (created_at) WHERE idempotency_key IS NOT NULL",
        "CREATE INDEX jobs_tenant ON jobs (tenant, id)",
        """
        CREATE INDEX jobs_conversation ON jobs (tenant, conversation_id, id)
            WHERE conversation_id IS NOT NULL
        """,
        "CREATE INDEX jobs_failed ON jobs (tenant, id) WHERE state IN ('failed', 'dead')",
        "CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL",
        // Two columns, so that the planner does not take `jobs_finished` and look at every job that has ended.
        "DROP INDEX jobs_unannounced",
        """
        CREATE INDEX jobs_unannounced ON jobs (announced, finished_at)
            WHERE announced = 0 AND finished_at IS NOT NULL
        """,
        """
        CREATE INDEX jobs_cancelling ON jobs (cancel_requested_at)
            WHERE cancel_requested_at IS NOT NULL AND finished_at IS NULL
        """,
        "CREATE INDEX jobs_ended ON jobs (tenant, state) WHERE finished_at IS NOT NULL",
        "CREATE TABLE tenants (id TEXT PRIMARY KEY, virtual_time DOUBLE PRECISION NOT NULL)",
        "CREATE TABLE virtual_clock (virtual_time DOUBLE PRECISION NOT NULL)",
        "INSERT INTO virtual_clock (virtual_time) VALUES (0)",
        // A row is a switch that is on.
        "CREATE TABLE switches (name TEXT PRIMARY KEY)",
        "ALTER TABLE workers ADD COLUMN drain_requested BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE workers ADD COLUMN finished BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE workers ADD COLUMN run_ms BIGINT NOT NULL DEFAULT 0",
    ]

    private static let conversations = [
        """
        CREATE TABLE conversations (
            tenant TEXT NOT NULL,
            id TEXT NOT NULL,
            title TEXT NOT NULL,
            agent_id TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            last_active BIGINT NOT NULL,
            message_count BIGINT NOT NULL DEFAULT 0,
            token_count BIGINT NOT NULL DEFAULT 0,
            metadata TEXT NOT NULL DEFAULT '{}',
            PRIMARY KEY (tenant, id)
        )
        """,
        "CREATE INDEX conversations_recent ON conversations (tenant, last_active, id)",
        """
        CREATE TABLE messages (
            id TEXT PRIMARY KEY,
            tenant TEXT NOT NULL,
            conversation_id TEXT NOT NULL,
            position BIGINT NOT NULL,
            role TEXT NOT NULL,
            content TEXT NOT NULL,
            category TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            agent_id TEXT,
            recipient_id TEXT,
            message_type TEXT NOT NULL,
            channel TEXT,
            reasoning TEXT,
            tool_calls TEXT,
            tool_call_id TEXT,
            tokens BIGINT NOT NULL,
            metadata TEXT NOT NULL,
            FOREIGN KEY (tenant, conversation_id) REFERENCES conversations (tenant, id) ON DELETE CASCADE
        )
        """,
        "CREATE UNIQUE INDEX messages_position ON messages (tenant, conversation_id, position)",
    ]
}

/// The full-text index of messages on SQLite: FTS5 over the table itself, kept by triggers.
enum SQLiteFullText {
    static let statements = [
        1: [
            "CREATE VIRTUAL TABLE messages_text USING fts5(content, content='messages', content_rowid='rowid')",
            """
            CREATE TRIGGER messages_text_insert AFTER INSERT ON messages BEGIN
                INSERT INTO messages_text (rowid, content) VALUES (new.rowid, new.content);
            END
            """,
            """
            CREATE TRIGGER messages_text_delete AFTER DELETE ON messages BEGIN
                INSERT INTO messages_text (messages_text, rowid, content) VALUES ('delete', old.rowid, old.content);
            END
            """,
        ]
    ]
}
