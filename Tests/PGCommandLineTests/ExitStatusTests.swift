import PGCommandLine
import Testing

@Suite struct ExitStatusTests {
  @Test("has the agreed numbers, and a line for each in the table")
  func numbers() {
    #expect(ExitStatus.allCases.map(\.rawValue) == [0, 1, 2, 3, 4, 5, 6, 64, 125, 126, 127])
    let lines = ExitStatus.table.split(separator: "\n")
    #expect(lines.count == ExitStatus.allCases.count + 2)
    #expect(lines.contains("  6     negative answer: no rows, assertion false, unknown SQLSTATE"))
    #expect(lines.allSatisfy { $0.count <= 79 })
  }
}
