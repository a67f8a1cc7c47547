import Testing

@testable import PGKit

@Suite("ProcessFacts")
struct ProcessFactsTests {
  private let rest = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 424242 20 21\n"

  @Test(
    "reads the name whatever is in it", arguments: ["postgres", "a b", "x) S 1 (y", "((", ""])
  func names(name: String) throws {
    let parsed = try #require(ProcessFacts.parse(stat: "12 (\(name))" + rest))
    #expect(parsed.name == name)
    #expect(parsed.state == "S")
    #expect(parsed.startTicks == 424_242)
  }

  @Test(
    "refuses what is cut off or out of order",
    arguments: ["", "12", "12 (postgres", "12 (postgres) S 1 2", ") 12 (", "12 (x) \n"])
  func cutOff(text: String) {
    #expect(ProcessFacts.parse(stat: text) == nil)
  }
}
