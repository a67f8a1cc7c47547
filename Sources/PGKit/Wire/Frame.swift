/// The place of one whole message in the receive buffer: its tag and where its body lies.
struct Frame: Equatable {
  /// Tag and length.
  static let headerSize = 5

  let tag: UInt8
  /// Offsets into the receive buffer.
  let body: Range<Int>

  /// Where the message begins, tag included.
  var start: Int { body.lowerBound - Self.headerSize }
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
  /// - Throws: ``OutOfBytes`` if the length cannot be that of such a message.
  init(_ reader: inout ByteReader) throws(OutOfBytes) {
    tag = try reader.readByte()
    let length = Int(try reader.readInteger(Int32.self))
    guard length >= 4, length <= Self.limit(of: tag) else { throw OutOfBytes() }
    bodyLength = length - 4
  }

  static func limit(of tag: UInt8) -> Int { mayBeLong(tag) ? longLimit : shortLimit }

  /// Rows, copied data, their descriptions, and texts may be long.
  private static func mayBeLong(_ tag: UInt8) -> Bool {
    switch tag {
    case BackendTag.dataRow.rawValue, BackendTag.copyData.rawValue,
      BackendTag.rowDescription.rawValue, BackendTag.parameterDescription.rawValue,
      BackendTag.errorResponse.rawValue, BackendTag.noticeResponse.rawValue,
      BackendTag.notificationResponse.rawValue, BackendTag.functionCallResponse.rawValue:
      true
    default: false
    }
  }
}
