import Testing

@testable import PGKit

@Suite("COPY statements") struct CopyStatementTests {
  @Test(
    "are told from those that copy files, and from other statements",
    arguments: [
      ("COPY t FROM STDIN", true), ("copy t(a, b) to Stdout WITH (FORMAT csv)", true),
      ("/* x */ COPY (SELECT 'from stdin' FROM stdin) -- y\n TO STDOUT", true),
      ("COPY t FROM STDOUT", true), ("COPY t TO '/tmp/stdout'", false),
      ("COPY stdin TO PROGRAM 'cat'", false), ("COPY t(stdin) FROM '/x'", false),
      ("COPY stdout FROM stdin", true), ("SELECT 1 FROM stdin", false), ("", false),
      ("COPY", false), ("COPY t FROM 'unterminated", false), ("COPIES t FROM STDIN", false),
    ])
  func standardStreams(sql: String, isStream: Bool) {
    #expect(SQL.copiesStandardStream(sql) == isStream)
  }

  @Test("have a direction")
  func directions() {
    #expect(SQL.streamCopy("COPY t FROM stdin") == .fromProgram)
    #expect(SQL.streamCopy("COPY (SELECT 1 FROM x) TO stdin") == .toProgram)
    #expect(SQL.streamCopy("COPY t FROM 'file'") == nil)
  }
}
