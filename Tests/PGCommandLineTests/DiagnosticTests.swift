import PGCommandLine
import PGErrorCodes
import Testing

@Suite struct DiagnosticTests {
  @Test("prints severity, code, condition, message and place, then the fields")
  func everything() {
    let diagnostic = Diagnostic(
      program: "pg-open", severity: .error, code: .undefinedTable,
      message: "relation \"x\" does not exist", location: "schema.sql:12:15",
      details: [("DETAIL", "there is y"), ("HINT", "say y")])
    #expect(
      diagnostic.description == """
        pg-open: ERROR 42P01 undefined_table: relation "x" does not exist (schema.sql:12:15)
        DETAIL: there is y
        HINT: say y
        """)
  }

  @Test("leaves out what is not known")
  func plain() {
    let remark = Diagnostic(program: "pg-open", message: "stdout: No space left on device")
    #expect(remark.description == "pg-open: stdout: No space left on device")
    let unknown = Diagnostic(program: "p", severity: .fatal, code: "PT404", message: "m")
    #expect(unknown.description == "p: FATAL PT404: m")
  }

  @Test("gives the driver's own codes py-postgresql's names")
  func driverCode() {
    let diagnostic = Diagnostic(
      program: "p", severity: .fatal, code: .authenticationMethodError, message: "m")
    #expect(diagnostic.description == "p: FATAL --AUT AuthenticationMethodError: m")
  }

  @Test("shows control characters, except line ends and tabs")
  func controls() {
    let shown = Diagnostic.escapingControls("a\u{1B}[2Jb\r\u{7F}\u{9B}\tc\nü")
    #expect(shown == "a\\x1b[2Jb\\x0d\\x7f\\x9b\tc\nü")
  }
}
