import Testing

@testable import PGKit

/// py-postgresql's recorded messages and framing.
///
/// Each case that has no counterpart here, or another outcome, is named with its reason.
@Suite("Protocol vectors") struct ProtocolVectorTests {
  /// By number: what has no counterpart.
  private static let skipped: [Int: String] = [
    1: "its notice lacks the zero byte at its end",
    22: "NULL travels with the format code 0 and not with one of the caller's",
    28: "FunctionCall is not spoken; the manual calls it a legacy",
    29: "FunctionCallResponse", 30: "FunctionCallResponse", 31: "FunctionCallResponse",
    33: "no copy has the format 123", 34: "no copy has the format 123",
    36: "no copy has the format 123",
    53: "no server writes tabs and runs of spaces into a tag",
    62: "no server writes empty fields into a notice",
    64: "names of fields that forget six; ServerMessage.Field has them all",
    75: "there is no message of type x, and what is unknown is not waited for",
    77: "there is no message of type r",
    78: "a result without CommandComplete",
    80: "single messages are no exchanges", 81: "single messages are no exchanges",
    82: "single messages are no exchanges", 83: "single messages are no exchanges",
    90: "proxies may give no cancel key; cancelling then says so",
    93: "SCRAM is spoken here",
  ]

  @Test("agrees with py-postgresql, but for what is named")
  func vectors() throws {
    let cases = try RecordedCase.all("protocol")
    #expect(cases.count == 102)
    var left = Set(Self.skipped.keys)
    for (number, vector) in cases.enumerated() {
      if left.remove(number) != nil { continue }
      if vector.fails {
        #expect(throws: (any Error).self, "\(number): \(vector.name)") { try outcome(vector) }
      } else {
        let (actual, expected) = try outcome(vector)
        #expect(actual == expected, "\(number): \(vector.name)")
      }
    }
    #expect(left.isEmpty)
  }

  /// What comes of a case, and what is to come of it.
  private func outcome(_ vector: RecordedCase) throws -> (String, String) {
    let expected = RecordedCase.describe(vector.expected)
    switch vector.op {
    case "element": return try element(vector.fields, expected)
    case "cat_messages": return try concatenation(list(vector.input), vector.expected)
    case "complete_tag":
      let tag = CommandTag(String(decoding: try bytes(vector.input), as: UTF8.self))
      return ("[\(hex(tag.name.utf8)), \(tag.rowCount.map(String.init) ?? "null")]", expected)
    case "parse_error":
      let message = try decode(vector.input) { (reader) throws(OutOfBytes) in
        try ServerMessage(decoding: &reader)
      }
      return (describe(message), expected)
    case "parse_ready":
      let status = try decode(vector.input) { (reader) throws(OutOfBytes) in
        try TransactionStatus(decoding: &reader)
      }
      return (hex([status.rawValue]), expected)
    case "parse_notify":
      _ = try decode(vector.input) { (reader) throws(OutOfBytes) in
        try NotificationResponse(decoding: &reader)
      }
      return ("", expected)
    case "parse_tuple": return (try row(try bytes(vector.input)), expected)
    case "versions": return (versions, expected)
    case "version_new":
      let numbers = try #require(vector.input as? [Int])
      let version = ProtocolVersion(major: UInt16(numbers[0]), minor: UInt16(numbers[1]))
      return (hex(BackendEncoder.header(Int(version.code))), expected)
    case "buffer": return try framing(list(vector.input), expected)
    case "exchange", "error_handling": return try exchange(vector.fields, vector.expected)
    case "negotiation": return try negotiation(vector.fields, vector.expected)
    case "md5_password":
      let fields = try vector.fields
      let salt = try #require(Hexadecimal.decode(Array((fields["salt"] as? String ?? "").utf8)))
      let password = Array((fields["password"] as? String ?? "").utf8)
      let user = fields["user"] as? String ?? ""
      return (hex(try MD5Password.encode(user: user, password: password, salt: salt)), expected)
    case "wirestate": return try copying(list(vector.input), vector.expected)
    default:
      Issue.record("nobody knows \(vector.op)")
      return ("", expected)
    }
  }

  // MARK: Values of the file

  private func list(_ value: Any?) throws -> [Any] { try #require(value as? [Any]) }

  private func bytes(_ value: Any?) throws -> [UInt8] { try #require(anyBytes(value)) }

  /// `nil` for what are no bytes.
  private func anyBytes(_ value: Any?) -> [UInt8]? {
    let text = (value as? [String: Any])?["hex"] as? String
    return text.flatMap { Hexadecimal.decode(Array($0.utf8)) }
  }

  private func text(_ value: Any?) throws -> String {
    String(decoding: try bytes(value), as: UTF8.self)
  }

  private func hex(_ bytes: some Sequence<UInt8>) -> String {
    "{hex: \(String(decoding: Hexadecimal.encode(bytes), as: UTF8.self))}"
  }

  private func decode<Value>(
    _ value: Any?, _ body: (inout ByteReader) throws(OutOfBytes) -> Value
  ) throws -> Value {
    try ByteReader.over(try bytes(value)) { (reader) throws(OutOfBytes) in
      let value = try body(&reader)
      guard reader.isAtEnd else { throw OutOfBytes() }
      return value
    }
  }

  private var versions: String {
    func both(_ code: UInt32) -> String { "[\(code), \(hex(BackendEncoder.header(Int(code))))]" }
    return "{CancelRequestCode: \(both(RequestCode.cancel)), "
      + "NegotiateSSLCode: \(both(RequestCode.ssl)), "
      + "V2_0: \(both(ProtocolVersion(major: 2, minor: 0).code)), "
      + "V3_0: \(both(ProtocolVersion.v3_0.code))}"
  }
}

// Messages
extension ProtocolVectorTests {
  private func element(_ input: [String: Any], _ expected: String) throws -> (String, String) {
    let name = try #require(input["message"] as? String)
    let fields = input["fields"] as? [String: Any] ?? [:]
    if let sent = try frontend(name, fields) { return (hex(sent), expected) }
    let hexText = expected.dropFirst("{hex: ".count).dropLast()
    let message = try #require(Hexadecimal.decode(Array(hexText.utf8)))
    let length = message[1..<5].reduce(0) { $0 << 8 | Int($1) }
    try #require(length == message.count - 1)
    return (try backend(message[0], Array(message[5...])), RecordedCase.describe(input["fields"]))
  }

  private func frontend(_ name: String, _ fields: [String: Any]) throws -> [UInt8]? {
    var writer = ByteWriter()
    switch name {
    case "Startup":
      let parameters = try ["user", "database", "options"].map { ($0, try text(fields[$0])) }
      StartupMessage(version: .v3_0, parameters: parameters).encode(into: &writer)
    case "NegotiateSSL": SSLRequest().encode(into: &writer)
    case "Parse":
      let types = try list(fields["argtypes"]).map { UInt32($0 as? Int ?? 0) }
      Parse(
        name: try text(fields["name"]), sql: try text(fields["statement"]), parameterTypes: types
      ).encode(into: &writer)
    case "Bind":
      Bind(
        portal: try text(fields["name"]), statement: try text(fields["statement"]),
        parameters: try parameters(fields), resultFormats: try formats(fields["rformats"])
      ).encode(into: &writer)
    case "Execute": Execute(portal: try text(fields["name"])).encode(into: &writer)
    case "DescribePortal":
      Describe(object: .portal(try text(fields["data"]))).encode(into: &writer)
    case "CloseStatement":
      Close(object: .statement(try text(fields["data"]))).encode(into: &writer)
    case "CopyData": CopyData(bytes: try bytes(fields["data"])).encode(into: &writer)
    case "CopyFail": CopyFail(reason: try text(fields["data"])).encode(into: &writer)
    case "Disconnect": BodilessMessage.terminate.encode(into: &writer)
    case "Synchronize": BodilessMessage.sync.encode(into: &writer)
    default: return nil
    }
    return writer.bytes
  }

  private func formats(_ value: Any?) throws -> [Int16] {
    try list(value).map { try bytes($0).reduce(0) { $0 << 8 | Int16($1) } }
  }

  private func parameters(_ fields: [String: Any]) throws -> BoundParameters {
    var parameters = BoundParameters()
    for (format, value) in zip(try formats(fields["aformats"]), try list(fields["arguments"])) {
      if let data = anyBytes(value) {
        parameters.append(format: format) { $0.writeBytes(data) }
      } else {
        parameters.appendNull()
      }
    }
    return parameters
  }

  /// The fields of a message as the file describes them.
  private func backend(_ tag: UInt8, _ body: [UInt8]) throws -> String {
    if tag == BackendTag.dataRow.rawValue { return try row(body) }
    let message = try ByteReader.over(body) { (reader) throws(PGError) in
      try BackendMessage(tag: tag, body: &reader)
    }
    switch message {
    case .noticeResponse(let message): return describe(message)
    case .backendKeyData(let key):
      return "{key: \(key.secret.reduce(0) { $0 << 8 | Int($1) }), pid: \(key.processID)}"
    case .parameterStatus(let status):
      return "{name: \(hex(status.name.utf8)), value: \(hex(status.value.utf8))}"
    case .authentication(.unknown(let code)):
      return "{request: \(code), salt: \(hex(body[4...]))}"
    case .parameterDescription(let description): return "\(description.typeOIDs)"
    case .rowDescription(let description):
      let fields = description.fields.map { field in
        "[\(hex(field.name.utf8)), \(field.tableOID), \(field.attributeNumber), "
          + "\(field.typeOID), \(field.typeSize), \(field.typeModifier), \(field.format)]"
      }
      return "[" + fields.joined(separator: ", ") + "]"
    case .copyResponse(let response):
      return "{format: \(response.isBinary ? 1 : 0), formats: \(response.columnFormats)}"
    case .emptyQueryResponse, .noData, .parseComplete, .bindComplete, .closeComplete,
      .portalSuspended:
      return "{}"
    default: return message.name
    }
  }

  private func row(_ body: [UInt8]) throws -> String {
    let columns = body.prefix(2).reduce(0) { $0 << 8 | Int($1) }
    var session = Session()
    session.feed(BackendEncoder.message(BackendTag.dataRow.rawValue, body))
    session.inbox.limit = FrameHeader.longLimit
    let run = try session.inbox.takeRows(columns: columns)
    let values = (0..<columns).map { column in
      run.reader(row: 0, column: column).map { hex($0.unread) } ?? "null"
    }
    return "[" + values.joined(separator: ", ") + "]"
  }

  private func describe(_ message: ServerMessage) -> String {
    RecordedCase.describe(
      Dictionary(
        uniqueKeysWithValues: message.fields.map { field, value in
          (String(Unicode.Scalar(field.rawValue)), hex(value.utf8))
        }))
  }

  /// Bytes are copied data, a word is Sync, a list is a row.
  private func concatenation(_ parts: [Any], _ expected: Any?) throws -> (String, String) {
    if parts.count == 1, let values = parts[0] as? [Any] {
      return (try row(Array(try bytes(expected).dropFirst(5))), RecordedCase.describe(values))
    }
    var writer = ByteWriter()
    for part in parts {
      if let data = anyBytes(part) {
        CopyData(bytes: data).encode(into: &writer)
      } else {
        BodilessMessage.sync.encode(into: &writer)
      }
    }
    return (hex(writer.bytes), RecordedCase.describe(expected))
  }
}

// Framing and exchanges
extension ProtocolVectorTests {
  private func framing(_ writes: [Any], _ expected: String) throws -> (String, String) {
    var session = Session()
    let states = try writes.map { write in
      session.feed(try bytes(write))
      guard let frame = try session.inbox.nextFrame() else { return "null" }
      let body = session.inbox.buffer.unread.dropFirst(Frame.headerSize).prefix(frame.body.count)
      return "[\(hex([frame.tag])), \(hex(body))]"
    }
    return ("[" + states.joined(separator: ", ") + "]", expected)
  }

  /// How many messages each piece completes, and whether something else follows them.
  private func copying(_ writes: [Any], _ expected: Any?) throws -> (String, String) {
    var session = Session()
    let states = try writes.map { write in
      session.feed(try bytes(write))
      let count = try session.inbox.takeCopyData().count
      return "\(count) \(try session.inbox.nextFrame() != nil)"
    }
    let recorded = try list(expected).map { state in
      let fields = try #require(state as? [String: Any])
      let isFollowed = anyBytes(fields["final_view"]) != nil
      return "\(RecordedCase.describe(fields["messages"])) \(isFollowed)"
    }
    return ("\(states)", "\(recorded)")
  }

  private func exchange(_ input: [String: Any], _ expected: Any?) throws -> (String, String) {
    let expected = try #require(expected as? [String: Any])
    let sends = try #require((input["send"] as? [String])?.first)
    let begin = sends == "Query" ? "copy-out \"q\"" : "prepare \"s\" \"q\""
    let player = try SessionScene("", begin, [], [:]).play()
    var outcome = ""
    for message in try list(input["receive"]) {
      let parts = try list(message)
      outcome = player.receive(
        BackendEncoder.message(try bytes(parts[0])[0], try bytes(parts[1])))
    }
    let code =
      expected["code"].map { value in
        anyBytes(value).map { String(decoding: $0, as: UTF8.self) } ?? RecordedCase.describe(value)
      } ?? ""
    let isComplete = expected["complete"] as? Bool == true
    let isFatal = expected["fatal"] as? Bool == true
    let recorded =
      switch (isComplete, isFatal) {
      case (false, _): "accepted"
      case (true, true): "over \(code)"
      case (true, false): code.isEmpty ? "finished" : "error \(code)"
      }
    return (outcome, recorded)
  }

  private func negotiation(_ input: [String: Any], _ expected: Any?) throws -> (String, String) {
    let texts = [
      "Notice": "N", "Authentication": "R", "KillInformation": "K", "ShowOption": "S", "Ready": "Z",
    ]
    let player = try SessionScene("", "startup 3.0 user=jwp", [], [:]).play()
    var outcome = ""
    for name in try #require(input["messages"] as? [String]) {
      let text = try #require(SessionScene.samples[texts[name] ?? ""])
      let bytes =
        input["case"] as? String == "auth 255"
        ? BackendEncoder.message(BackendTag.authentication.rawValue, [0, 0, 0, 255])
        : try BackendEncoder.encode(text)
      outcome = player.receive(bytes)
    }
    let code = (expected as? [String: Any])?["code"] as? String
    return (outcome, code.map { "over \($0)" } ?? "finished")
  }
}
