/// What this Penguin is.
public enum PenguinVersion {
    /// The version, as `/health` and `--version` tell it.
    public static let current = "0.1.0"
}
