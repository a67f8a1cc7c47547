import Testing

@testable import PGKit

/// The texts of values for people: whole, and as the server lays them out.
struct ShownTextTests {
  @Test("money is shown wherever it is inside of")
  func money() {
    let amount = PGValue.money(PGMoney(units: 123))
    #expect(PGRecord(amount, 1).description == "(1.23,1)")
    #expect(PGValue.record(PGRecord(amount, 1)).description == "(1.23,1)")
    #expect(PGValue.array([amount, nil]).description == "{1.23,NULL}")
    #expect(PGRange(PGMoney(units: 1), PGMoney(units: 2)).description == "[0.01,0.02)")
    #expect(PGValue.array([.record(PGRecord(amount))]).description == "{(1.23)}")
    // As a parameter it is still not sent as text.
    #expect(amount.encodingFormat(for: .unspecified) == nil)
    #expect(throws: PGError.parameter("")) {
      try Codec.encode(PGRecord(amount), as: .unspecified, .text)
    }
    #expect(throws: PGError.parameter("")) { try Codec.encode(amount, as: .money, .text) }
  }

  @Test("boxes have semicolons between them, and vectors spaces")
  func layouts() throws {
    let boxes = PGArray([PGBox(PGPoint(3, 4), PGPoint(1, 2)), PGBox(PGPoint(1, 1), PGPoint(0, 0))])
    #expect(boxes.description == "{(3,4),(1,2);(1,1),(0,0)}")
    #expect(
      PGValue.array(PGArray(boxes.elements.map { $0.map { .box($0) } })).description
        == "{(3,4),(1,2);(1,1),(0,0)}")
    #expect(
      try Codec.text(boxes.elements.compactMap { $0 }, as: .unspecified)
        == "{(3,4),(1,2);(1,1),(0,0)}")
    let bytes = try Codec.encode([1, 2, -3], as: .int2vector)
    let vector: PGValue = try Codec.decode(bytes, as: .int2vector)
    #expect(vector.description == "1 2 -3")
    #expect(PGRecord(vector).description == "(\"1 2 -3\")")
    // An array of the same elements is equal, and laid out as arrays are.
    let array: PGValue = try Codec.parse("[0:2]={1,2,-3}", as: .int2Array)
    #expect(array == vector && array.hashValue == vector.hashValue)
    #expect(array.description == "[0:2]={1,2,-3}")
  }

  @Test("a composite without attributes is an empty object")
  func emptyRecord() throws {
    #expect(try PGValue.record(PGRecord()).json() == "{}")
    #expect(try PGValue.record(PGRecord(1)).json() == "[1]")
  }
}
