// What a server sends. One file for each message with a body, named as in the manual ("Message
// Formats"); the messages without one are cases here. DataRow, CopyData and NotificationResponse, of
// which there are many, are not decoded here: they stay frames (house rule: the data plane passes as
// ranges).

/// The byte that begins a backend message.
enum BackendTag: UInt8 {
  case authentication = 0x52  // R
  case backendKeyData = 0x4B  // K
  case bindComplete = 0x32  // 2
  case closeComplete = 0x33  // 3
  case commandComplete = 0x43  // C
  case copyBothResponse = 0x57  // W
  case copyData = 0x64  // d
  case copyDone = 0x63  // c
  case copyInResponse = 0x47  // G
  case copyOutResponse = 0x48  // H
  case dataRow = 0x44  // D
  case emptyQueryResponse = 0x49  // I
  case errorResponse = 0x45  // E
  case functionCallResponse = 0x56  // V
  case negotiateProtocolVersion = 0x76  // v
  case noData = 0x6E  // n
  case noticeResponse = 0x4E  // N
  case notificationResponse = 0x41  // A
  case parameterDescription = 0x74  // t
  case parameterStatus = 0x53  // S
  case parseComplete = 0x31  // 1
  case portalSuspended = 0x73  // s
  case readyForQuery = 0x5A  // Z
  case rowDescription = 0x54  // T
}

/// A message of the control plane, decoded.
enum BackendMessage {
  case authentication(AuthenticationRequest)
  case backendKeyData(BackendKeyData)
  case bindComplete
  case closeComplete
  case commandComplete(CommandTag)
  case copyDone
  case copyResponse(CopyResponse)
  case emptyQueryResponse
  case errorResponse(ServerMessage)
  case negotiateProtocolVersion(NegotiateProtocolVersion)
  case noData
  case noticeResponse(ServerMessage)
  case parameterDescription(ParameterDescription)
  case parameterStatus(ParameterStatus)
  case parseComplete
  case portalSuspended
  case readyForQuery(TransactionStatus)
  case rowDescription(RowDescription)

  /// Decodes a body.
  ///
  /// - Throws: ``PGError`` 08P01, naming the message, if the body does not have its form.
  init(tag: UInt8, body reader: inout ByteReader) throws(PGError) {
    guard let known = BackendTag(rawValue: tag), known != .dataRow, known != .copyData else {
      throw .protocolViolation("unknown message type \(Self.name(tag)) from the server")
    }
    do throws(OutOfBytes) {
      self = try Self.decode(known, &reader)
      guard reader.isAtEnd else { throw OutOfBytes() }
    } catch {
      throw .malformed(known)
    }
  }

  private static func decode(
    _ tag: BackendTag, _ reader: inout ByteReader
  ) throws(OutOfBytes) -> BackendMessage {
    switch tag {
    case .authentication: .authentication(try AuthenticationRequest(decoding: &reader))
    case .backendKeyData: .backendKeyData(try BackendKeyData(decoding: &reader))
    case .bindComplete: .bindComplete
    case .closeComplete: .closeComplete
    case .commandComplete: .commandComplete(try CommandTag(decoding: &reader))
    case .copyBothResponse: .copyResponse(try CopyResponse(.both, decoding: &reader))
    case .copyDone: .copyDone
    case .copyInResponse: .copyResponse(try CopyResponse(.in, decoding: &reader))
    case .copyOutResponse: .copyResponse(try CopyResponse(.out, decoding: &reader))
    case .emptyQueryResponse: .emptyQueryResponse
    case .errorResponse: .errorResponse(try ServerMessage(decoding: &reader))
    case .negotiateProtocolVersion:
      .negotiateProtocolVersion(try NegotiateProtocolVersion(decoding: &reader))
    case .noData: .noData
    case .noticeResponse: .noticeResponse(try ServerMessage(decoding: &reader))
    case .parameterDescription: .parameterDescription(try ParameterDescription(decoding: &reader))
    case .parameterStatus: .parameterStatus(try ParameterStatus(decoding: &reader))
    case .parseComplete: .parseComplete
    case .portalSuspended: .portalSuspended
    case .readyForQuery: .readyForQuery(try TransactionStatus(decoding: &reader))
    case .rowDescription: .rowDescription(try RowDescription(decoding: &reader))
    // The data plane's, and what nobody asks for.
    case .dataRow, .copyData, .notificationResponse, .functionCallResponse: throw OutOfBytes()
    }
  }

  /// A tag as a message can quote it.
  static func name(_ tag: UInt8) -> String {
    if let known = BackendTag(rawValue: tag) { return "\(known)" }
    return tag > 0x20 && tag < 0x7F
      ? "\"\(Character(Unicode.Scalar(tag)))\"" : "0x\(String(tag, radix: 16))"
  }

  /// The message's name, for what is said about one that came out of place.
  var name: String {
    let text = "\(self)"
    return String(text.prefix { $0 != "(" })
  }
}

extension PGError {
  @inline(never)
  static func malformed(_ message: BackendTag) -> PGError {
    .protocolViolation("malformed \(message) message from the server")
  }
}
