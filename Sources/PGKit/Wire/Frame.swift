/// The place of one whole message in the receive buffer: its tag and where its body lies.
struct Frame: Equatable {
  /// Tag and length.
  static let headerSize = 5

  let tag: UInt8
  /// Offsets into the receive buffer.
  let body: Range<Int>
}

/// The first five bytes of a message, checked.
struct FrameHeader {
  /// The longest message of a kind that is never long.
  ///
  /// As in libpq: a longer one means that the two ends have lost step with each other, not that the
  /// server has much to say.
  static let shortLimit = 30_000
  /// The longest message at all: 1 GiB, the limit of a value in PostgreSQL.
  static let longLimit = 0x3FFF_FFFF

  let tag: UInt8
  let bodyLength: Int

  /// Reads the header at `start`, of which at least ``Frame/headerSize`` bytes are there.
  ///
  /// - Throws: ``OutOfBytes`` if there is no such message, or the length cannot be that of one.
  init(_ reader: inout ByteReader) throws(OutOfBytes) {
    let tag = try reader.readByte()
    guard let header = Self(tag: tag, length: try reader.readInteger()) else { throw OutOfBytes() }
    self = header
  }

  /// A header with this tag and length; `nil` if there is no such message, or the length cannot be that
  /// of one.
  @inline(__always)
  init?(tag: UInt8, length: Int32) {
    guard length >= 4, let limit = Self.limit(of: tag), length <= limit else { return nil }
    self.tag = tag
    bodyLength = Int(length) - 4
  }

  /// The longest message with that tag; `nil` if there is none that this driver can receive.
  ///
  /// So nothing is received, and no memory spent, of what cannot be understood anyway.
  static func limit(of tag: UInt8) -> Int? {
    switch tag {
    // Rows, copied data, their descriptions, and texts may be long.
    case BackendTag.dataRow.rawValue, BackendTag.copyData.rawValue,
      BackendTag.rowDescription.rawValue, BackendTag.parameterDescription.rawValue,
      BackendTag.errorResponse.rawValue, BackendTag.noticeResponse.rawValue,
      BackendTag.notificationResponse.rawValue:
      longLimit
    case BackendTag.functionCallResponse.rawValue: nil
    default: BackendTag(rawValue: tag) == nil ? nil : shortLimit
    }
  }
}
