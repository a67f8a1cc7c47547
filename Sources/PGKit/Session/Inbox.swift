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
  /// Whether the last read filled its room, so that more was there.
  private var isPlentiful = false
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
    var reader = ByteReader(buffer.unread)
    let header: FrameHeader
    do throws(OutOfBytes) { header = try FrameHeader(&reader) } catch {
      throw .lostSynchronization(tag: buffer.unread.first ?? 0)
    }
    guard header.bodyLength <= limit else { throw .lostSynchronization(tag: header.tag) }
    needed = Frame.headerSize + header.bodyLength
    guard buffer.count >= needed else { return nil }
    let start = buffer.start + Frame.headerSize
    return Frame(tag: header.tag, body: start..<start + header.bodyLength)
  }

  /// Decodes the frame at the front as a message of the control plane and consumes it.
  mutating func takeMessage(_ frame: Frame) throws(PGError) -> BackendMessage {
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

  /// Takes the run of whole CopyData messages at the front, as they lie there.
  mutating func takeCopyData() throws(PGError) -> CopyRun {
    isCopying = true
    let start = buffer.start
    let found = buffer.scanMessages(
      tag: BackendTag.copyData.rawValue, headerSize: Frame.headerSize, bodyLimit: limit)
    let run = CopyRun(buffer: buffer, frames: start..<start + found.size, count: found.count)
    buffer.consume(found.size)
    // What comes next is looked at, so that it is known how long it is.
    _ = try nextFrame()
    return run
  }

  /// The room to receive into.
  mutating func room() -> UnsafeMutableRawBufferPointer {
    let least =
      isCopying
      ? Self.copyingCapacity
      : isPlentiful ? Self.plentifulCapacity : ReceiveBuffer.initialCapacity
    if !isKnownUniquelyReferenced(&buffer) || buffer.capacity < least {
      buffer = buffer.successor(needing: needed, atLeast: least)
    }
    giveBack()
    buffer.makeRoom(for: needed)
    return buffer.free
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

/// Rows that lie in one buffer, found but not decoded.
struct RowRun {
  let buffer: ReceiveBuffer
  let columnCount: Int
  let count: Int
  let cells: CellTable
  /// How many bytes all values have together.
  let byteCount: Int

  init(buffer: ReceiveBuffer, columnCount: Int, count: Int, cells: CellTable, byteCount: Int) {
    (self.buffer, self.columnCount) = (buffer, columnCount)
    (self.count, self.cells, self.byteCount) = (count, cells, byteCount)
  }

  /// How much memory it takes, with all of the buffer that it keeps.
  var memorySize: Int { buffer.capacity + cells.count * MemoryLayout<Cell>.stride }
}

/// Whole CopyData messages that lie in one buffer one after the other.
struct CopyRun {
  let buffer: ReceiveBuffer
  /// Where they lie, tags and lengths included: just as another server wants to receive them.
  let frames: Range<Int>
  /// How many there were when they came.
  ///
  /// A server sends each row as one message.
  let count: Int
  /// How many there are now.
  var frameCount: Int

  init(buffer: ReceiveBuffer, frames: Range<Int>, count: Int, frameCount: Int? = nil) {
    (self.buffer, self.frames, self.count) = (buffer, frames, count)
    self.frameCount = frameCount ?? count
  }

  /// The size of the data, the messages' own headers not counted.
  var byteCount: Int { frames.count - frameCount * Frame.headerSize }

  /// The largest message that is made of several: what is longer has few messages anyway.
  private static let joinedLimit = 8 << 20

  /// How much memory it takes: all of the buffer that it keeps.
  var memorySize: Int { buffer.capacity }

  /// The messages as they came over the wire, borrowed for the call.
  func withFrames<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try body(UnsafeRawBufferPointer(start: buffer.base + frames.lowerBound, count: frames.count))
  }

  /// The same data in one message, in the same memory: whoever still has this run must not use it.
  ///
  /// A server takes a row in no time, but each message costs it some.
  func joined() -> CopyRun {
    guard frameCount > 1, frames.count <= Self.joinedLimit else { return self }
    let joined = buffer.joinMessages(frames, headerSize: Frame.headerSize)
    return CopyRun(buffer: buffer, frames: joined, count: count, frameCount: 1)
  }

  /// Hands each message's data to `body`.
  func forEach<Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    var offset = frames.lowerBound
    while offset < frames.upperBound {
      let header = UnsafeRawBufferPointer(start: buffer.base + offset + 1, count: 4)
      let length = header.reduce(0) { $0 << 8 | Int($1) }
      let start = offset + Frame.headerSize
      try body(UnsafeRawBufferPointer(start: buffer.base + start, count: length - 4))
      offset += 1 + length
    }
  }
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

extension RowRun {
  /// A reader over a value; `nil` for NULL, and for a place that is not in the run.
  @inline(__always)
  func reader(row: Int, column: Int) -> ByteReader? {
    guard row >= 0, row < count, column >= 0, column < columnCount else { return nil }
    let cell = cells[row * columnCount + column]
    if cell.isNull { return nil }
    return ByteReader(
      UnsafeRawBufferPointer(start: buffer.base + Int(cell.offset), count: Int(cell.length)))
  }

  /// A value as text; `nil` for NULL and what is not UTF-8.
  func text(row: Int, column: Int) -> String? {
    var reader = reader(row: row, column: column)
    return reader?.readText()
  }
}
