/// Rows of texts in aligned columns, with or without a heading.
struct Table {
    /// One text and how it looks.
    struct Cell: ExpressibleByStringLiteral {
        let text: String
        var colour: Terminal.Colour?

        init(_ text: String, _ colour: Terminal.Colour? = nil) {
            self.text = text
            self.colour = colour
        }

        init(_ number: Int, _ colour: Terminal.Colour? = nil) {
            self.init(String(number), colour)
        }

        init(stringLiteral text: String) {
            self.init(text)
        }
    }

    private static let gap = "  "

    private var rows: [[Cell]]

    init(_ heading: [String] = []) {
        self.rows = heading.isEmpty ? [] : [heading.map { Cell($0, .grey) }]
    }

    /// Empty cells at the end are left out.
    mutating func add(_ cells: Cell...) {
        self.rows.append(Array(cells.prefix((cells.lastIndex { !$0.text.isEmpty } ?? -1) + 1)))
    }

    /// Each row as a line, without blanks at its end.
    var text: String {
        let columns = self.rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            self.rows.map { column < $0.count ? $0[column].text.count : 0 }.max() ?? 0
        }
        return self.rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let blanks = column == row.count - 1 ? 0 : widths[column] - cell.text.count
                return Terminal.painted(cell.text, cell.colour) + String(repeating: " ", count: blanks)
            }
            return cells.joined(separator: Self.gap) + "\n"
        }.joined()
    }
}
