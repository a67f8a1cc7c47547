@testable import PGKit

/// A piece of copied data; from a client its ends need not be ends of rows.
///
/// The driver itself writes such messages piece by piece, without a value for each.
struct CopyData: FrontendMessage {
  static let tag: FrontendTag? = .copyData

  let bytes: [UInt8]

  func encodeBody(into writer: inout ByteWriter) { writer.writeBytes(bytes) }
}
