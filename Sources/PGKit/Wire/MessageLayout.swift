/// What a message consists of, as the manual's "Message Formats" lists it, for showing it as text.
///
/// The driver's own encoders and decoders do not use this: it is a second account of the protocol,
/// and tests hold the two against each other.
struct MessageLayout: Sendable {
  /// A part of a body.
  indirect enum Field: Sendable {
    /// Byte1.
    case byte
    case int16
    case int32
    /// A string ended by a zero byte.
    case text
    /// An Int32 length, −1 for NULL, and so many bytes.
    case value
    /// All that remains.
    case rest
    /// Pairs of a letter and a text, ended by a zero byte.
    case letteredTexts
    /// Texts, ended by an empty one.
    case texts
    /// An Int16 count and so many times these.
    case list([Field])
    /// An Int32 count and so many times these.
    case longList([Field])
    /// One that is not shown to everybody.
    case secret(Field)
  }

  let name: String
  let fields: [Field]

  init(_ name: String, _ fields: Field...) {
    self.name = name
    self.fields = fields
  }
}

extension MessageLayout {
  /// The messages that a client sends, but for those with the tag that passwords share.
  static let frontend: [FrontendTag: MessageLayout] = [
    .bind: .init("Bind", .text, .text, .list([.int16]), .list([.value]), .list([.int16])),
    .close: .init("Close", .byte, .text),
    .copyData: .init("CopyData", .rest),
    .copyDone: .init("CopyDone"),
    .copyFail: .init("CopyFail", .text),
    .describe: .init("Describe", .byte, .text),
    .execute: .init("Execute", .text, .int32),
    .flush: .init("Flush"),
    .parse: .init("Parse", .text, .text, .list([.int32])),
    .query: .init("Query", .text),
    .sync: .init("Sync"),
    .terminate: .init("Terminate"),
  ]

  /// The messages that a server sends, but for those about authentication.
  static let backend: [BackendTag: MessageLayout] = [
    .backendKeyData: .init("BackendKeyData", .int32, .secret(.rest)),
    .bindComplete: .init("BindComplete"),
    .closeComplete: .init("CloseComplete"),
    .commandComplete: .init("CommandComplete", .text),
    .copyBothResponse: .init("CopyBothResponse", .byte, .list([.int16])),
    .copyData: .init("CopyData", .rest),
    .copyDone: .init("CopyDone"),
    .copyInResponse: .init("CopyInResponse", .byte, .list([.int16])),
    .copyOutResponse: .init("CopyOutResponse", .byte, .list([.int16])),
    .dataRow: .init("DataRow", .list([.value])),
    .emptyQueryResponse: .init("EmptyQueryResponse"),
    .errorResponse: .init("ErrorResponse", .letteredTexts),
    .functionCallResponse: .init("FunctionCallResponse", .value),
    .negotiateProtocolVersion: .init("NegotiateProtocolVersion", .int32, .longList([.text])),
    .noData: .init("NoData"),
    .noticeResponse: .init("NoticeResponse", .letteredTexts),
    .notificationResponse: .init("NotificationResponse", .int32, .text, .text),
    .parameterDescription: .init("ParameterDescription", .list([.int32])),
    .parameterStatus: .init("ParameterStatus", .text, .text),
    .parseComplete: .init("ParseComplete"),
    .portalSuspended: .init("PortalSuspended"),
    .readyForQuery: .init("ReadyForQuery", .byte),
    .rowDescription: .init(
      "RowDescription", .list([.text, .int32, .int16, .int32, .int16, .int32, .int16])),
  ]

  /// The requests of authentication, by their codes.
  static let authentication: [Int32: MessageLayout] = [
    0: .init("AuthenticationOk"),
    2: .init("AuthenticationKerberosV5"),
    3: .init("AuthenticationCleartextPassword"),
    5: .init("AuthenticationMD5Password", .rest),
    6: .init("AuthenticationSCMCredential"),
    7: .init("AuthenticationGSS"),
    8: .init("AuthenticationGSSContinue", .secret(.rest)),
    9: .init("AuthenticationSSPI"),
    10: .init("AuthenticationSASL", .texts),
    11: .init("AuthenticationSASLContinue", .secret(.rest)),
    12: .init("AuthenticationSASLFinal", .secret(.rest)),
  ]

  /// What a client answers to the request of authentication with that code.
  static func answer(to request: Int32) -> MessageLayout {
    switch request {
    case 10: .init("SASLInitialResponse", .text, .secret(.value))
    case 11: .init("SASLResponse", .secret(.rest))
    default: .init("PasswordMessage", .secret(.text))
    }
  }

  /// The packets without a tag that may come first, by their codes.
  static func untagged(_ code: UInt32) -> MessageLayout {
    switch code {
    case RequestCode.cancel: .init("CancelRequest", .int16, .int16, .int32, .secret(.rest))
    case RequestCode.ssl: .init("SSLRequest", .int16, .int16)
    default: .init("StartupMessage", .int16, .int16, .texts)
    }
  }
}
