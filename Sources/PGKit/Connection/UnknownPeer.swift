/// Whoever answered at a place where a PostgreSQL server was expected, and has said nothing yet that
/// only such a server says.
struct UnknownPeer {
  let endpoint: Endpoint
  /// What it said first, as far as it was received and may be shown: nothing from before TLS.
  var words: [UInt8] = []

  static let hint = "Check host and port; PostgreSQL listens on 5432 unless it is told otherwise."

  /// What a server means that refuses the first message.
  static let startupHint =
    "A pooler may take no settings when a session begins: PgBouncer passes over those that its "
    + "ignore_startup_parameters names; or SET them afterwards."

  /// The longest text of an error of protocol 2 that is repeated, in bytes.
  private static let textLimit = 1000

  /// That it is not a PostgreSQL server, and what it seems to be instead.
  var description: String {
    "what answered at \(endpoint) does not speak PostgreSQL's protocol" + (language ?? "")
  }

  /// The error that says more than `error` about why no session was begun.
  func explain(_ error: PGError) -> PGError {
    switch error.code {
    case .protocolViolation where error.fault == .server:
      return PGError(
        code: error.code, message: error.message, fault: error.fault,
        hint: error.hint ?? Self.startupHint, fields: error.fields, cause: error.cause)
    case .protocolViolation:
      if let oldError { return .refusedInOldForm(endpoint, oldError) }
      return PGError(
        code: error.code, message: "\(description) (\(error.message))", fault: error.fault,
        hint: Self.hint)
    case .connectionFailure where error.hint == nil:
      return PGError(
        code: error.code, message: error.message, fault: error.fault,
        hint: "The server's log may say why; or what listens there is not PostgreSQL.",
        cause: error.cause)
    default: return error
    }
  }

  private var language: String? {
    [("HTTP/", "HTTP"), ("SSH-", "SSH")].first { words.starts(with: $0.0.utf8) }.map {
      ", but \($0.1)"
    }
  }

  /// The text of an error as protocol 2 had it: `E`, the text, NUL.
  ///
  /// A server that has no process left for a client still says so in this form.
  private var oldError: String? {
    guard words.first == BackendTag.errorResponse.rawValue, words.contains(0), !isFrame else {
      return nil
    }
    let text = words.dropFirst().prefix(Self.textLimit).prefix { $0 >= 0x20 }
    return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
  }

  private var isFrame: Bool {
    words.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      do throws(OutOfBytes) {
        return try FrameHeader(&reader).bodyLength <= Inbox.limitBeforeAuthentication
      } catch { return false }
    }
  }
}

extension PGError {
  /// An error without a code, from before there were codes.
  @inline(never)
  static func refusedInOldForm(_ endpoint: Endpoint, _ text: String) -> PGError {
    .cannotConnect(
      "the server at \(endpoint) refused the connection: \(text)",
      hint: "It said so in the form of protocol 2, as a server does that can start no process for "
        + "a client, or one that is older than PostgreSQL 7.4.")
  }
}
