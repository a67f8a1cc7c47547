/// CopyData messages that wait until the server takes them, in order.
///
/// The first may have been sent in part, and then it must be sent to its end, whatever happens: a
/// server that waits for the rest of a message takes whatever comes for it.
struct CopyInQueue {
  /// Whole messages, one behind the other.
  enum Frames {
    /// As another server sent them.
    case run(CopyRun)
    /// Made here.
    case bytes([UInt8])

    var byteCount: Int {
      switch self {
      case .run(let run): run.frames.count
      case .bytes(let bytes): bytes.count
      }
    }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
      switch self {
      case .run(let run): run.withFrames(body)
      case .bytes(let bytes): bytes.withUnsafeBytes(body)
      }
    }
  }

  /// The largest piece of data put into one message.
  private static let pieceSize = 1 << 20

  private var frames: [Frames] = []
  /// The first of them that waits.
  private var head = 0
  /// How much of it was sent.
  private var sent = 0
  /// How many bytes wait.
  private(set) var byteCount = 0

  var isEmpty: Bool { head == frames.count }

  /// Whether the first of what waits was sent in part.
  var isSendingFirst: Bool { sent > 0 }

  mutating func append(_ new: Frames) {
    guard new.byteCount > 0 else { return }
    frames.append(new)
    byteCount += new.byteCount
  }

  /// Lends what waits longest to `sender`, which says how much of it was sent.
  ///
  /// - Returns: What it says; `nil` if nothing waits.
  mutating func send(
    by sender: (UnsafeRawBufferPointer) throws(PGError) -> Int
  ) throws(PGError) -> Int? {
    guard head < frames.count else { return nil }
    let (first, start) = (frames[head], sent)
    let outcome: Result<Int, PGError> = first.withBytes { bytes in
      do throws(PGError) {
        return .success(try sender(UnsafeRawBufferPointer(rebasing: bytes[start...])))
      } catch { return .failure(error) }
    }
    let count = try outcome.get()
    sent += count
    byteCount -= count
    if sent == first.byteCount { removeFirst() }
    return count
  }

  /// Forgets everything but the rest of the message that was sent in part, and gives that.
  mutating func takeRestOfMessage() -> [UInt8] {
    defer { (frames, head, sent, byteCount) = ([], 0, 0, 0) }
    guard sent > 0, head < frames.count else { return [] }
    let place = sent
    return frames[head].withBytes { bytes in
      var end = 0
      while end < place {
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[end...]))
        guard let header = try? FrameHeader(&reader) else { return [] }
        end += Frame.headerSize + header.bodyLength
      }
      return Array(bytes[place..<end])
    }
  }

  private mutating func removeFirst() {
    sent = 0
    head += 1
    if head == frames.count {
      frames.removeAll(keepingCapacity: true)
      head = 0
    } else if head > 64 {
      frames.removeFirst(head)
      head = 0
    } else {
      // What was sent must not be kept for as long as others wait.
      frames[head - 1] = .bytes([])
    }
  }

  /// Messages of data that may begin and end anywhere within rows.
  static func messages(of data: [UInt8]) -> Frames {
    var writer = ByteWriter()
    var rest = data[...]
    while !rest.isEmpty {
      let piece = rest.prefix(pieceSize)
      writer.writeByte(FrontendTag.copyData.rawValue)
      writer.writeInteger(Int32(truncatingIfNeeded: piece.count + 4))
      writer.writeBytes(piece)
      rest = rest.dropFirst(piece.count)
    }
    return .bytes(writer.bytes)
  }
}
