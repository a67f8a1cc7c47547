import Testing

@testable import PGKit

struct TypeOIDTests {
  @Test("names built-in types, and numbers all others")
  func names() {
    #expect(TypeOID.int4.name == "int4" && TypeOID.int4.rawValue == 23)
    #expect(TypeOID.textArray.name == "text[]")
    #expect((12345 as TypeOID).name == "oid 12345")
    #expect(TypeOID.unspecified.name == "oid 0")
  }

  @Test("asks for binary exactly where a value can be read from it")
  func resultFormats() {
    #expect(BuiltinTypes.resultFormat(for: PGType(.int8)) == .binary)
    #expect(BuiltinTypes.resultFormat(for: PGType(.jsonb)) == .binary)
    #expect(BuiltinTypes.resultFormat(for: PGType(.xml)) == .text)
    #expect(BuiltinTypes.resultFormat(for: PGType(.point)) == .binary)
    #expect(BuiltinTypes.resultFormat(for: PGType(.int4Array)) == .binary)
    #expect(BuiltinTypes.resultFormat(for: PGType(.xmlArray)) == .text)
    #expect(BuiltinTypes.resultFormat(for: PGType(.regclass)) == .text)
    #expect(BuiltinTypes.resultFormat(for: PGType(.aclitem)) == .text)
    #expect(BuiltinTypes.resultFormat(for: PGType(99_999)) == .text)
    for sample in ServerSample.all where sample.typeName != "xml" {
      let type = Codec.swiftType(of: sample.typeName)?.type ?? .unspecified
      #expect(BuiltinTypes.resultFormat(for: PGType(type)) == .binary)
    }
  }
}
