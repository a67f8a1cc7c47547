import Testing

@testable import PGKit

/// Which column can be had as which Swift type.
struct ColumnTests {
  @Test("an integer is read only into a type that holds all of the column's values")
  func integers() {
    let numbers: [TypeOID] = [.int2, .int4, .int8, .oid, .xid, .cid, .xid8]
    func accepted(_ type: any PGDecodable.Type) -> [TypeOID] {
      numbers.filter { type.accepts($0, .binary) }
    }
    #expect(accepted(Int.self) == [.int2, .int4, .int8, .oid, .xid, .cid])
    #expect(accepted(Int32.self) == [.int2, .int4])
    #expect(accepted(Int16.self) == [.int2])
    #expect(accepted(UInt32.self) == [.oid, .xid, .cid])
    #expect(accepted(UInt64.self) == [.oid, .xid, .cid, .xid8])
    #expect(!Int.accepts(.numeric, .binary) && !Int.accepts(.text, .text))
  }

  @Test("reads an Int from every width")
  func widths() throws {
    #expect(try Codec.decode(bytes("fffe"), as: .int2, Int.self) == -2)
    #expect(try Codec.decode(bytes("fffffffe"), as: .int4, Int.self) == -2)
    #expect(try Codec.decode(bytes("fffffffffffffffe"), as: .int8, Int.self) == -2)
    #expect(try Codec.decode(bytes("fffffffe"), as: .oid, Int.self) == 4_294_967_294)
  }

  @Test("refuses integer text that overflows or has anything else in it")
  func integerText() {
    for text in ["", "-", "+", "1 ", " 1", "1.0", "1e3", "0x1", "2147483648", "-2147483649", "--1"]
    {
      #expect(throws: PGError.malformed(.int4, "")) {
        try Codec.parse(text, as: .int4, Int32.self)
      }
    }
  }

  @Test("floats do not take numeric or integers silently")
  func floats() throws {
    #expect(Double.accepts(.float4, .text) && Double.accepts(.float8, .binary))
    #expect(!Double.accepts(.numeric, .binary) && !Double.accepts(.int4, .binary))
    #expect(!Float.accepts(.float8, .binary))
    #expect(try Codec.decode(bytes("3fc00000"), as: .float4, Double.self) == 1.5)
    #expect(throws: PGError.malformed(.float8, "")) {
      try Codec.parse("1.5x", as: .float8, Double.self)
    }
  }

  @Test("\"char\" of the high half shows as PostgreSQL 16 prints it")
  func highCharacter() throws {
    let text: String = try Codec.decode([0xE9], as: .char)
    #expect(text == "\\351")
    #expect(try Codec.encode(text, as: .char) == [0xE9])
  }

  @Test("refuses text that is nearly a date, a time or an interval")
  func nearMisses() {
    for (type, texts) in [
      (
        TypeOID.date,
        [
          "", "2024-02-30", "2023-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "0000-01-01",
          "24-01-01", "2024-1-1", "29/02/2024", "2024-02-29 ", "5874898-01-01", "4714-11-23 BC",
        ]
      ),
      (.time, ["", "24:00:00.000001", "24:01:00", "12:60:00", "12:00:60", "1:00:00", "12:00:00."]),
      (.timetz, ["12:00:00", "12:00:00+16", "12:00:00+05:60", "12:00:00+5"]),
      (.timestamp, ["2024-01-01 24:00:00", "2024-01-01 12:00:00+00", "294277-01-01 00:00:00"]),
      (.timestamptz, ["2024-01-01 12:00:00", "294276-12-31 23:59:59-01", "infinity+00"]),
      (
        .interval,
        [
          "", "1", "1 fortnight", "P", "P1", "PT", "P1H", "PT1Y", "P1.5D", "1 day ",
          "999999999999999999 years", "2147483648 days", "2562047789:00:00",
        ]
      ),
      (.uuid, ["", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", "{a0eebc999c0b4ef8bb6d6bb9bd380a11"]),
      (.bool, ["", "x", "tr", "1"]),
    ] {
      for text in texts {
        #expect(throws: PGError.malformed(type, ""), "\(type.name) \(text)") {
          try Codec.parse(text, as: type, PGValue.self)
        }
      }
    }
  }
}
