import COpenSSL

// The one door to libssl's habits: what are macros in C has its number here, and the error queue
// of the thread is emptied before each call that is judged by it.

/// Constants and errors of OpenSSL.
enum OpenSSL {
  /// `SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION`: no sessions are resumed,
  /// nothing is compressed together with secrets, and keys change only as TLS 1.3 does it.
  static let sessionOptions: UInt64 = 1 << 14 | 1 << 17 | 1 << 30

  /// `SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER`: the outbox may move its
  /// bytes between two attempts to write them.
  static let writeModes = 0x1 | 0x2

  /// `BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY`.
  static let retryFlags: Int32 = 0x0f
  /// `BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY`.
  static let retryReading: Int32 = 0x09
  /// `BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY`.
  static let retryWriting: Int32 = 0x0a

  /// Where alerts of the other end begin among the reasons of errors (`SSL_AD_REASON_OFFSET`).
  static let alertOffset: Int32 = 1000

  /// One entry of the error queue.
  struct QueuedError: Error, CustomStringConvertible {
    /// The packed code.
    let code: UInt
    /// Whether it is of libssl.
    var isOfTLS: Bool { ERR_GET_LIB(code) == ERR_LIB_SSL }
    /// The reason's number within its library.
    var reason: Int32 { ERR_GET_REASON(code) }
    /// The alert that the other end sent, if that is what it is about.
    var alert: Int32? {
      isOfTLS && reason >= alertOffset && reason < alertOffset + 256 ? reason - alertOffset : nil
    }
    /// Whether a private key turned out to be of another certificate.
    var meansKeyMismatch: Bool {
      ERR_GET_LIB(code) == ERR_LIB_X509
        && (reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH)
    }
    /// The reason's text.
    var description: String {
      if ERR_GET_LIB(code) == ERR_LIB_SYS { return Syscalls.text(ofError: reason) }
      guard let text = ERR_reason_error_string(code) else { return "OpenSSL error \(code)" }
      return String(cString: text)
    }
  }

  /// Empties the error queue of this thread.
  static func clearErrors() { ERR_clear_error() }

  /// Takes all errors of this thread, the oldest first.
  static func takeErrors() -> [QueuedError] {
    var errors: [QueuedError] = []
    while true {
      let code = ERR_get_error()
      if code == 0 { return errors }
      errors.append(QueuedError(code: code))
    }
  }

  /// Takes all errors of this thread as one text; the oldest says most.
  static func takeErrorText() -> String {
    if let fault = pgkit_libssl_fault() { return String(cString: fault) }
    return takeErrors().first?.description ?? "no reason given"
  }
}

extension TLSVersion {
  /// The number of the version in the protocol.
  var number: Int {
    switch self {
    case .tls10: Int(TLS1_VERSION)
    case .tls11: Int(TLS1_1_VERSION)
    case .tls12: Int(TLS1_2_VERSION)
    case .tls13: Int(TLS1_3_VERSION)
    }
  }
}
