// Where bytes become frames, and where the control plane (few messages, decoded) and the data plane
// (many, passed as ranges of the buffer) part company.

/// What has been received and not yet understood.
///
/// Rows and copied data keep the very buffer that they were received into. So before anything is
/// received, the buffer is looked at: if rows still hold it, reading goes on in another one.
struct Inbox: ~Copyable {
  /// Before authentication a server has nothing long to say; a peer that does is refused before
  /// memory is spent on it.
  static let limitBeforeAuthentication = FrameHeader.shortLimit
  /// A buffer larger than this is given back when little lies in it.
  private static let keptCapacity = 1 << 20

  /// What copied data is received into: the more one read brings, the fewer there are.
  private static let copyingCapacity = 256 * 1024
  /// What everything else is received into while there is more than a read takes.
  private static let plentifulCapacity = 64 * 1024

  private(set) var buffer = ReceiveBuffer()
  /// Whether copied data came; more of it is probably to come.
  private var isCopying = false
  /// Whether the messages of the data that is being copied are to be made one where they lie: so for the
  /// exchange that is under way.
  var joinsCopyData = false
  /// Whether the last read filled its room, so that more was there.
  private var isPlentiful = false
  /// Buffers that copied data was handed over in: whichever comes back is filled again, because memory that
  /// is new each time costs a tenth of the copying.
  private var lent: [ReceiveBuffer] = []
  /// How many of them are remembered: more than a receiver lets wait.
  private static let lentLimit = 6
  /// The largest message accepted now.
  var limit = limitBeforeAuthentication
  /// The size of the whole message that lies at the front, as far as it is known.
  private var needed = Frame.headerSize

  /// The message at the front, if all of it is there.
  ///
  /// - Throws: ``PGError`` 08P01 if its length cannot be true.
  mutating func nextFrame() throws(PGError) -> Frame? {
    guard buffer.count >= Frame.headerSize else {
      needed = Frame.headerSize
      return nil
    }
    let (tag, length) = buffer.frontHeader
    guard let header = FrameHeader(tag: tag, length: length), header.bodyLength <= limit else {
      throw .lostSynchronization(tag: tag)
    }
    needed = Frame.headerSize + header.bodyLength
    guard buffer.count >= needed else { return nil }
    let start = buffer.start + Frame.headerSize
    return Frame(tag: header.tag, body: start..<start + header.bodyLength)
  }

  /// Decodes the frame at the front as a message of the control plane and consumes it.
  mutating func takeMessage(_ frame: Frame) throws(PGError) -> BackendMessage {
    if isCopying { (isCopying, lent) = (false, []) }
    var reader = reader(over: frame)
    let message = try BackendMessage(tag: frame.tag, body: &reader)
    consume(frame)
    return message
  }

  /// Hands the notification at the front to those that wait to be taken.
  ///
  /// - Throws: ``PGError`` 08P01 if it does not have the form of one.
  mutating func takeNotification(
    _ frame: Frame, into unsolicited: inout Unsolicited
  ) throws(PGError) {
    var reader = reader(over: frame)
    do throws(OutOfBytes) {
      let event = try NotificationResponse(decoding: &reader)
      guard reader.isAtEnd else { throw OutOfBytes() }
      unsolicited.accept(event)
    } catch {
      throw .malformed(.notificationResponse)
    }
    consume(frame)
  }

  /// Takes the run of whole DataRows at the front: their values are not copied, a row is where they lie.
  ///
  /// - Throws: ``PGError`` 08P01 if one does not have exactly `columns` values that exactly fill it.
  mutating func takeRows(columns: Int) throws(PGError) -> RowRun {
    let found = buffer.scanMessages(
      tag: BackendTag.dataRow.rawValue, headerSize: Frame.headerSize, bodyLimit: limit)
    guard
      let cells = buffer.locateFields(in: found, headerSize: Frame.headerSize, columns: columns)
    else {
      throw .protocolViolation("a row does not have the form that its description announced")
    }
    // What of the messages is not values: their headers, a count in each, and a length for each value.
    let overhead = found.count * (Frame.headerSize + 2) + cells.count * 4
    let run = RowRun(
      buffer: buffer, columnCount: columns, count: found.count, cells: cells,
      byteCount: found.size - overhead)
    buffer.consume(found.size)
    // What comes next is looked at, so that it is known how long it is.
    _ = try nextFrame()
    return run
  }

  /// Takes the run of whole CopyData messages at the front: as they lie there, or joined if that is wanted.
  mutating func takeCopyData() throws(PGError) -> CopyRun {
    isCopying = true
    let run = joinsCopyData && buffer.count <= CopyRun.joinedLimit ? joinedRun() : run()
    // What comes next is looked at, so that it is known how long it is.
    _ = try nextFrame()
    return run
  }

  private func run() -> CopyRun {
    let start = buffer.start
    let found = buffer.scanMessages(
      tag: BackendTag.copyData.rawValue, headerSize: Frame.headerSize, bodyLimit: limit)
    buffer.consume(found.size)
    return CopyRun(buffer: buffer, frames: start..<start + found.size, count: found.count)
  }

  private func joinedRun() -> CopyRun {
    let found = buffer.joinMessages(
      in: buffer.start..<buffer.end, tag: BackendTag.copyData.rawValue,
      headerSize: Frame.headerSize, bodyLimit: limit)
    buffer.consume(found.size)
    return CopyRun(
      buffer: buffer, frames: found.joined, count: found.count, frameCount: min(found.count, 1))
  }

  /// The room to receive into.
  mutating func room() -> UnsafeMutableRawBufferPointer {
    let least =
      isCopying
      ? Self.copyingCapacity
      : isPlentiful ? Self.plentifulCapacity : ReceiveBuffer.initialCapacity
    if !isKnownUniquelyReferenced(&buffer) || buffer.capacity < least {
      let next = returnedBuffer(atLeast: least)
      // One that has grown for a huge row must not stay.
      if isCopying, buffer.capacity == Self.copyingCapacity, lent.count < Self.lentLimit {
        lent.append(buffer)
      }
      buffer = next ?? buffer.successor(needing: needed, atLeast: least)
    }
    giveBack()
    buffer.makeRoom(for: needed)
    return buffer.free
  }

  /// A buffer that nobody has any more, which goes on where the present one ends.
  private mutating func returnedBuffer(atLeast least: Int) -> ReceiveBuffer? {
    for index in lent.indices where isKnownUniquelyReferenced(&lent[index]) {
      let returned = lent.remove(at: index)
      return returned.goesOn(from: buffer, needing: needed, atLeast: least) ? returned : nil
    }
    return nil
  }

  /// Lets go of a buffer that has grown for a long message, when nothing as long is awaited: the
  /// memory of one huge row must not stay with the connection.
  mutating func giveBack() {
    guard buffer.memory.count > Self.keptCapacity,
      max(needed, buffer.count) <= ReceiveBuffer.initialCapacity
    else { return }
    buffer = buffer.successor(needing: needed)
  }

  /// Says that `count` bytes were received into ``room()``.
  mutating func received(_ count: Int) {
    let room = buffer.free.count
    buffer.received(count)
    if count == room {
      isPlentiful = true
    } else if count < ReceiveBuffer.initialCapacity / 4 {
      isPlentiful = false
    }
  }

  /// Whether nothing is left to understand.
  var isEmpty: Bool { buffer.count == 0 }

  private func reader(over frame: Frame) -> ByteReader {
    ByteReader(
      UnsafeRawBufferPointer(start: buffer.base + frame.body.lowerBound, count: frame.body.count))
  }

  private func consume(_ frame: Frame) { buffer.consume(Frame.headerSize + frame.body.count) }
}

extension PGError {
  @inline(never)
  static func lostSynchronization(tag: UInt8) -> PGError {
    .protocolViolation(
      FrameHeader.limit(of: tag) == nil
        ? "unknown message type \(BackendMessage.name(tag)) from the server"
        : "lost synchronization with the server: impossible length in a message of type "
          + BackendMessage.name(tag))
  }
}
