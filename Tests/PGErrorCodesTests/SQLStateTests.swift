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

  @Test("answers an undefined code by its class, and a retired one by its successor")
  func nearest() {
    #expect(SQLState("XX400")?.nearestDefinition?.code == .internalError)
    #expect(SQLState("22020")?.nearestDefinition?.code == "2201W")
    #expect(SQLState("10999")?.nearestDefinition?.name == "XQueryError")
    #expect(SQLState("ZZ999")?.nearestDefinition == nil)
    #expect(SQLState("XX400")?.condition == nil)
  }
}
