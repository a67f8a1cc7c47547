import Testing

@testable import PGKit

/// Both formats, both directions, against what a real server made of the same values.
struct ServerSampleTests {
  @Test("has samples of every type with a codec")
  func coverage() {
    let names = Set(ServerSample.all.map(\.typeName))
    #expect(ServerSample.all.count > 400)
    #expect(names.count == 27)
    #expect(names.allSatisfy { Codec.swiftType(of: $0) != nil })
  }

  @Test("reads and writes the server's binary form", arguments: ServerSample.all)
  func binary(sample: ServerSample) throws {
    let (type, swift) = try #require(Codec.swiftType(of: sample.typeName))
    try checkBinary(sample, type, swift)
  }

  private func checkBinary<Value: PGCodable>(
    _ sample: ServerSample, _ type: TypeOID, _: Value.Type
  ) throws {
    let value: Value = try Codec.decode(sample.binary, as: type)
    #expect(hex(try Codec.encode(value, as: type)) == hex(sample.binary))
    if sample.isForWriting { #expect(try Codec.text(value, as: type) == sample.text) }
  }

  @Test("reads and writes the server's text form", arguments: ServerSample.all)
  func text(sample: ServerSample) throws {
    let (type, swift) = try #require(Codec.swiftType(of: sample.typeName))
    try checkText(sample, type, swift)
  }

  private func checkText<Value: PGCodable>(
    _ sample: ServerSample, _ type: TypeOID, _: Value.Type
  ) throws {
    let value: Value = try Codec.parse(sample.text, as: type)
    #expect(hex(try Codec.encode(value, as: type)) == hex(sample.binary))
    if sample.isForWriting { #expect(try Codec.text(value, as: type) == sample.text) }
  }

  @Test("reads the same dynamic value from both formats", arguments: ServerSample.all)
  func dynamic(sample: ServerSample) throws {
    let (type, _) = try #require(Codec.swiftType(of: sample.typeName))
    let binary: PGValue = try Codec.decode(sample.binary, as: type)
    let text: PGValue = try Codec.parse(sample.text, as: type)
    #expect("\(binary)" == "\(text)")
    if sample.isForWriting { #expect("\(text)" == sample.text) }
    #expect(hex(try Codec.encode(text, as: type)) == hex(sample.binary))
  }

  @Test("reads every type's text as a String")
  func strings() throws {
    for sample in ServerSample.all {
      let (type, _) = try #require(Codec.swiftType(of: sample.typeName))
      #expect(String.accepts(type, .text))
      #expect(try Codec.parse(sample.text, as: type, String.self) == sample.text)
    }
  }
}
