import Testing

@testable import PGKit

struct PGValueTests {
  @Test("keeps any other type's text with its type, and sends it back to that type alone")
  func otherTypes() throws {
    let value: PGValue = try Codec.parse("a=r/b", as: .aclitem)
    #expect(value == .text(.aclitem, "a=r/b"))
    #expect(value.encodingFormat(for: .aclitem) == .text)
    #expect(value.encodingFormat(for: .box) == nil)
    #expect(try Codec.text(value, as: .aclitem) == "a=r/b")
  }

  @Test("refuses a binary form that it does not know")
  func unknownBinary() {
    #expect(!PGValue.accepts(.aclitem, .binary) && PGValue.accepts(.aclitem, .text))
    #expect(throws: PGError.column("")) {
      try Codec.decode([1, 2], as: .aclitem, .binary, PGValue.self)
    }
  }

  @Test("NULL says so, and refuses to be written")
  func null() {
    #expect(PGValue.null.isNull && !PGValue.int64(0).isNull)
    #expect(PGValue.null.encodingFormat(for: .int4) != nil)
    #expect(throws: PGError.parameter("")) { try Codec.encode(PGValue.null, as: .int4) }
    #expect("\(PGValue.null)" == "NULL")
  }

  @Test("is written down as literals")
  func literals() {
    let list: [PGValue] = [nil, true, 1, 1.5, "x"]
    #expect(list == [.null, .bool(true), .int64(1), .double(1.5), .string("x")])
  }

  @Test("is small enough to pass around")
  func size() { #expect(MemoryLayout<PGValue>.stride <= 32) }

  @Test("fits an Int into the parameter's type as an Int would be")
  func narrowing() throws {
    #expect(try Codec.encode(PGValue.int64(7), as: .int2) == [0, 7])
    #expect(throws: PGError.parameter("")) {
      try Codec.encode(PGValue.int64(70_000), as: .int2)
    }
  }
}
