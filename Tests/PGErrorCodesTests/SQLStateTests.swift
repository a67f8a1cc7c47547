import PGErrorCodes
import Testing

@Suite struct SQLStateTests {
  @Test(
    "takes exactly five printable characters",
    arguments: ["", "4000", "400011", "4000 ", "40\u{0}01", "４０００１", "4000\n", "ü001"])
  func malformed(text: String) {
    #expect(SQLState(text) == nil)
  }

  @Test(
    "keeps its characters, and their case",
    arguments: ["40001", "--cIO", "--CIO", "PT404", "zzzzz"])
  func characters(text: String) {
    #expect(SQLState(text)?.description == text)
  }

  @Test("a class code matches its members as a pattern, a code only itself")
  func patterns() {
    #expect(SQLState.integrityConstraintViolation ~= .uniqueViolation)
    #expect(SQLState.uniqueViolation ~= .uniqueViolation)
    #expect(!(SQLState.uniqueViolation ~= .integrityConstraintViolation))
    #expect(!(SQLState.integrityConstraintViolation ~= .undefinedTable))
  }

  @Test(
    "answers an undefined code by its class, and a retired one by its successor",
    arguments: [
      ("XX400", "XX000"), ("22020", "2201W"), ("22021", "22021"), ("10999", "10000"),
      ("23505", "23505"),
      ("--XYZ", "--000"), ("ZZ999", nil),
    ] as [(SQLState, SQLState?)])
  func nearest(code: SQLState, want: SQLState?) {
    #expect(code.nearestDefinition?.code == want)
  }

  @Test("an undefined code has no condition")
  func undefined() {
    let code: SQLState = "XX400"
    #expect(code.definition == nil)
    #expect(code.condition == nil)
  }
}
