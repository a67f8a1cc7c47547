import PGErrorCodes
import Testing

@testable import PGKit

@Suite("Backend messages") struct BackendMessageTests {
  private func decode(_ tag: String, _ body: [UInt8]) throws -> BackendMessage {
    try ByteReader.over(body) { (reader) throws(PGError) in
      try BackendMessage(tag: Array(tag.utf8)[0], body: &reader)
    }
  }

  private func error(_ body: [UInt8]) throws -> ServerMessage {
    guard case .errorResponse(let message) = try decode("E", body) else {
      throw BackendEncoder.Malformed(description: "no error")
    }
    return message
  }

  // MARK: ErrorResponse

  @Test("an error may lack every field")
  func emptyError() throws {
    let message = try error([0])
    #expect(message.fields.isEmpty)
    #expect(message.severity == "ERROR")
    #expect(message.code == .internalError)
    #expect(message.message == "(no message)")
    #expect(PGError.server(message).report.contains("(no message)"))
  }

  @Test("an error keeps fields that are unknown, repeated or empty")
  func oddFields() throws {
    let message = try error(Array("Sa\0Sb\0!x\0D\0Mm\0\0".utf8))
    #expect(message.fields.count == 5)
    #expect(message[.localizedSeverity] == "a")
    #expect(message[ServerMessage.Field(rawValue: UInt8(ascii: "!"))] == "x")
    #expect(message.detail == "")
  }

  @Test("an error in another encoding is repaired, one with a bad code has a code")
  func encodings() throws {
    let message = try error(Array("M".utf8) + [0xFC, 0x62, 0x65, 0x72, 0] + Array("Cx\0\0".utf8))
    #expect(message.message == "\u{FFFD}ber")
    #expect(message.code == .internalError)
  }

  @Test("an error of a megabyte is no trouble")
  func longError() throws {
    let text = [UInt8](repeating: 0x61, count: 1 << 20)
    #expect(try error([0x4D] + text + [0, 0]).message.utf8.count == 1 << 20)
  }

  @Test("a position that is no number is none")
  func position() throws {
    #expect(try error(Array("P12\0\0".utf8)).position == 12)
    for text in ["x", "", "99999999999999999999", "-"] {
      #expect(try error(Array("P\(text)\0\0".utf8)).position == nil)
    }
  }

  @Test(
    "an error without its end is malformed",
    arguments: ["", "M", "Mx", "Mx\0", "Mx\0S", "\0\0", "Mx\0\0\0"])
  func truncated(text: String) {
    #expect(throws: PGError.protocolViolation("")) { try decode("E", Array(text.utf8)) }
    #expect(throws: PGError.protocolViolation("")) { try decode("N", Array(text.utf8)) }
  }

  // MARK: CommandComplete

  @Test(
    "a tag's count is the last word, if it is a number",
    arguments: [
      ("SELECT 5", "SELECT", 5), ("INSERT 0 1", "INSERT", 1), ("CREATE TABLE", "CREATE TABLE", nil),
      ("", "", nil), (" ", "", nil), ("COPY", "COPY", nil), ("7", "", 7),
      ("SELECT 99999999999999999999", "SELECT", nil), ("SELECT -1", "SELECT -1", nil),
      ("SELECT ٣", "SELECT ٣", nil), ("\u{FFFD} 1", "\u{FFFD}", 1), ("MERGE 0", "MERGE", 0),
    ] as [(String, String, Int?)])
  func tags(text: String, name: String, count: Int?) throws {
    guard case .commandComplete(let tag) = try decode("C", Array(text.utf8) + [0]) else {
      Issue.record("no tag")
      return
    }
    #expect(tag.name == name)
    #expect(tag.rowCount == count)
  }

  // MARK: BackendKeyData and NegotiateProtocolVersion

  @Test(
    "a key has four bytes in 3.0 and four to 256 in 3.2",
    arguments: [
      (3, false, false), (4, true, true), (5, false, true), (32, false, true), (256, false, true),
      (257, false, false), (0, false, false), (2_000, false, false),
    ])
  func keys(count: Int, old: Bool, new: Bool) throws {
    let body = [0, 0, 0, 7] + [UInt8](repeating: 0xFF, count: count)
    for (version, isGood) in [("3.0", old), ("3.2", new)] {
      let scene = SessionScene("", "startup \(version) user=jwp", ["AuthenticationOk"], [:])
      let outcome = try scene.play().receive(BackendEncoder.message(0x4B, body))
      #expect(outcome == (isGood ? "accepted" : "over 08P01"), "\(version), \(count) bytes")
    }
  }

  @Test(
    "a version is negotiated down once, and never up",
    arguments: [
      ("3.2", "196608 0", "accepted"), ("3.2", "196609 0", "accepted"),
      ("3.2", "196610 0", "over 08P01"), ("3.2", "196611 0", "over 08P01"),
      ("3.2", "131072 0", "over 08P01"), ("3.2", "262144 0", "over 08P01"),
      ("3.2", "0 0", "over 08P01"), ("3.2", "-1 0", "over 08P01"),
      ("3.0", "196608 0", "over 08P01"), ("3.0", "131072 0", "over 08P01"),
      ("3.2", "196608 -1", "over 08P01"), ("3.2", "196608 1", "over 08P01"),
      ("3.2", "196608 2147483647", "over 08P01"), ("3.2", "196608 1 \"_pq_.x\"", "over 08P01"),
      ("3.2", "196608 0 \"_pq_.x\"", "over 08P01"), ("3.2", "196608 2 \"\" \"\"", "over 08P01"),
    ])
  func negotiation(offered: String, answer: String, want: String) throws {
    let scene = SessionScene("", "startup \(offered) user=jwp", [], [:])
    let bytes = try BackendEncoder.encode("NegotiateProtocolVersion \(answer)")
    #expect(try scene.play().receive(bytes) == want)
    let twice = bytes + bytes
    #expect(try scene.play().receive(twice) == "over 08P01")
  }

  // MARK: Rows and descriptions

  @Test(
    "a row must have the columns and lengths that it claims",
    arguments: [
      "DataRow 0", "DataRow 1 1 'a'", "DataRow 3 1 'a' 1 'b' 1 'c'", "DataRow -1 1 'a' 1 'b'",
      "DataRow 2 -2 'a' 1 'b'", "DataRow 2 1 'a'", "DataRow 2 9 'a' 1 'b'",
      "DataRow 2 2147483647 'a' 1 'b'", "DataRow 2 -2147483648 'a' 1 'b'",
      "DataRow 2 0 'a' 1 'b'", "DataRow 2 1 'a' 1 'bc'", "DataRow 2 1 'a' -1 1 'c'",
    ])
  func rows(text: String) throws {
    let bytes = try BackendEncoder.encode(text)
    let scene = SessionScene("", "run \"s\" 2", ["BindComplete"], [:])
    #expect(try scene.play().receive(bytes) == "over 08P01")
    let good = try BackendEncoder.encode("DataRow 2 1 'a' -1")
    #expect(try scene.play().receive(good + bytes) == "over 08P01")
  }

  @Test("a count of 65 535 is one, and not minus one")
  func unsignedCounts() throws {
    let count = [UInt8](repeating: 0xFF, count: 2)
    for tag in ["T", "t", "D"] {
      #expect(throws: PGError.self) { try decode(tag, count) }
      #expect(throws: PGError.self) { try decode(tag, count + [0, 0, 0, 0]) }
    }
    let nulls = [UInt8](repeating: 0xFF, count: 65_535 * 4)
    let scene = SessionScene("", "run \"s\" 65535", ["BindComplete"], [:])
    #expect(try scene.play().receive(BackendEncoder.message(0x44, count + nulls)) == "accepted")
  }

  @Test("a format code is 0 or 1")
  func formats() throws {
    for (format, isGood) in [(0, true), (1, true), (2, false), (-1, false)] {
      let bytes = try BackendEncoder.encode("RowDescription 1 \"a\" 0 0 23 4 -1 \(format)")
      let scene = SessionScene("", "script \"q\"", [], [:])
      #expect(try scene.play().receive(bytes) == (isGood ? "accepted" : "over 08P01"))
    }
  }
}
