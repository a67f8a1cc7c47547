import PGTestCluster
import Testing

@testable import PGKit

@Suite("Inbox") struct InboxTests {
  private static func row(_ size: Int) -> [UInt8] {
    let value = [UInt8](repeating: 0x61, count: size)
    return BackendEncoder.message(0x44, [0, 1] + BackendEncoder.header(size) + value)
  }

  private func receive(_ bytes: [UInt8], _ inbox: inout Inbox, at most: Int = .max) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let room = inbox.room()
      let piece = rest.prefix(min(room.count, most))
      room.copyBytes(from: piece)
      inbox.received(piece.count)
      rest = rest.dropFirst(piece.count)
    }
  }

  @Test("a claimed length costs no memory before its bytes come")
  func claims() throws {
    var inbox = Inbox()
    inbox.limit = FrameHeader.longLimit
    receive([0x44, 0x3F, 0xFF, 0xFF, 0xFF], &inbox)
    #expect(try inbox.nextFrame() == nil)
    _ = inbox.room()
    #expect(inbox.buffer.memory.count <= ReceiveBuffer.leap)
  }

  @Test("before authentication nothing long is received")
  func beforeAuthentication() {
    var inbox = Inbox()
    receive([0x45, 0, 0, 0x75, 0x35], &inbox)
    #expect(throws: PGError.protocolViolation("")) { try inbox.nextFrame() }
  }

  @Test("a long message in small pieces is copied a few times and not for each piece")
  func longMessage() throws {
    var inbox = Inbox()
    inbox.limit = FrameHeader.longLimit
    let bytes = Self.row(40 << 20)
    var growths = 0
    var rest = bytes[...]
    while !rest.isEmpty {
      let before = inbox.buffer.memory.count
      let room = inbox.room()
      if inbox.buffer.memory.count != before { growths += 1 }
      let piece = rest.prefix(min(room.count, 64 << 10))
      room.copyBytes(from: piece)
      inbox.received(piece.count)
      rest = rest.dropFirst(piece.count)
      if !rest.isEmpty { #expect(try inbox.nextFrame() == nil) }
    }
    #expect(growths <= 4)
    let run = try inbox.takeRows(columns: 1)
    #expect(run.count == 1)
    #expect(run.reader(row: 0, column: 0)?.remaining == 40 << 20)
  }

  @Test("the memory of a huge row does not stay with the session")
  func givesBack() throws {
    var inbox = Inbox()
    inbox.limit = FrameHeader.longLimit
    receive(Self.row(20 << 20) + [0x5A], &inbox)
    #expect(try inbox.takeRows(columns: 1).count == 1)
    #expect(inbox.buffer.memory.count > 20 << 20)
    _ = inbox.room()
    #expect(inbox.buffer.memory.count <= 2 * ReceiveBuffer.initialCapacity)
    #expect(inbox.buffer.count == 1)
  }

  @Test("an idle session holds no large buffer")
  func idle() throws {
    let scene = SessionScene("", "run \"s\" 1", ["BindComplete"], [:])
    let player = try scene.play()
    let end =
      try BackendEncoder.encode("CommandComplete \"SELECT 1\"")
      + BackendEncoder.encode("ReadyForQuery I")
    #expect(player.receive(Self.row(20 << 20) + end) == "finished")
    #expect(player.session.inbox.buffer.memory.count <= 2 * ReceiveBuffer.initialCapacity)
  }

  @Test("the buffer is used again when the rows in it have been dropped")
  func reuse() throws {
    var inbox = Inbox()
    receive(Self.row(1_000), &inbox)
    let first = ObjectIdentifier(inbox.buffer)
    #expect(try inbox.takeRows(columns: 1).count == 1)
    receive(Self.row(1_000), &inbox)
    #expect(ObjectIdentifier(inbox.buffer) == first)
  }

  @Test("rows that are kept keep their bytes")
  func keeps() throws {
    var inbox = Inbox()
    var runs: [RowRun] = []
    for letter in UInt8(ascii: "a")...UInt8(ascii: "e") {
      receive(
        BackendEncoder.message(0x44, [0, 1, 0, 0, 0, 1, letter]) + [0x44, 0, 0], &inbox)
      runs.append(try inbox.takeRows(columns: 1))
      receive([0, 11, 0, 1, 0, 0, 0, 1, letter - 32], &inbox)
      runs.append(try inbox.takeRows(columns: 1))
    }
    #expect(runs.map(\.lines) == "aAbBcCdDeE".map { ["row '\($0)'"] })
    #expect(runs[0].text(row: 0, column: 0) == "a")
    #expect(runs[0].reader(row: 1, column: 0) == nil)
    #expect(runs[0].reader(row: 0, column: -1) == nil)
    #expect(runs[0].reader(row: 0, column: 1) == nil)
  }

  /// The values of the rows, read field by field; `nil` if a row does not have the form.
  private func slowly(_ bytes: [UInt8], columns: Int) -> [[UInt8]?]? {
    var values: [[UInt8]?] = []
    let isWhole = ByteReader.over(bytes) { reader in
      do throws(OutOfBytes) {
        while reader.remaining >= 5, try reader.readByte() == 0x44 {
          let length = Int(try reader.readInteger(UInt32.self)) - 4
          guard length >= 0, length <= reader.remaining else { return true }
          var row = try reader.readSlice(length)
          guard Int(try row.readInteger(UInt16.self)) == columns else { return false }
          for _ in 0..<columns {
            guard let size = try row.readNullableLength() else {
              values.append(nil)
              continue
            }
            values.append(try row.readBytes(size))
          }
          guard row.isAtEnd else { return false }
        }
        return true
      } catch { return false }
    }
    return isWhole ? values : nil
  }

  @Test("rows are found as reading them field by field finds them, whatever a byte of them says")
  func locates() throws {
    let row = BackendEncoder.message(
      0x44, [0, 3] + BackendEncoder.header(2) + [1, 2] + [255, 255, 255, 255, 0, 0, 0, 0])
    let bytes = row + row
    var found = 0
    for place in bytes.indices {
      for value in [0, 1, 2, 3, 5, 0x44, 0x7F, 0x80, 0xFE, 0xFF] as [UInt8] {
        var odd = bytes
        odd[place] = value
        let buffer = ReceiveBuffer(capacity: bytes.count)
        buffer.free.copyBytes(from: odd)
        buffer.received(odd.count)
        let messages = buffer.scanMessages(tag: 0x44, headerSize: 5, bodyLimit: 1000)
        let cells = buffer.locateFields(in: messages, headerSize: 5, columns: 3)
        let values = cells?.map { cell in
          cell.isNull
            ? nil
            : Array(
              UnsafeRawBufferPointer(
                start: buffer.base + Int(cell.offset), count: Int(cell.length)))
        }
        #expect(values == slowly(odd, columns: 3), "byte \(place) is \(value)")
        if values?.isEmpty == false { found += 1 }
      }
    }
    #expect(found > 60)
  }

  @Test("rows of no columns are counted, and more columns than a row has are refused")
  func columns() throws {
    var inbox = Inbox()
    receive(BackendEncoder.message(0x44, [0, 0]) + BackendEncoder.message(0x44, [0, 0]), &inbox)
    #expect(try inbox.takeRows(columns: 0).count == 2)
    receive(Self.row(3), &inbox)
    #expect(throws: PGError.protocolViolation("")) { try inbox.takeRows(columns: 65_535) }
  }

  @Test("what a read leaves of a row is moved to the front, so that the next has room")
  func roomAgain() throws {
    var inbox = Inbox()
    let row = Self.row(1_000)
    for _ in 0..<200 {
      let room = inbox.room()
      #expect(room.count >= ReceiveBuffer.initialCapacity - 1_100)
      let rest = inbox.buffer.count
      let bytes = Array((rest == 0 ? row : Array(row.dropFirst(rest))) + row + row.prefix(500))
      room.copyBytes(from: bytes)
      inbox.received(bytes.count)
      #expect(try inbox.takeRows(columns: 1).count == 2)
    }
  }

  @Test("a run of copied data is the very bytes that came")
  func copies() throws {
    var inbox = Inbox()
    let bytes = BackendEncoder.message(0x64, [1, 2, 3]) + BackendEncoder.message(0x64, [])
    receive(bytes + [0x63, 0, 0, 0, 4], &inbox)
    let run = try inbox.takeCopyData()
    #expect(run.count == 2)
    #expect(run.withFrames { Array($0) } == bytes)
    var pieces: [[UInt8]] = []
    run.forEach { pieces.append(Array($0)) }
    #expect(pieces == [[1, 2, 3], []])
    #expect(try inbox.nextFrame()?.tag == 0x63)
  }

  @Test(
    "joined data is all bodies behind one header, whatever their lengths, and what follows stays")
  func joins() throws {
    // Lengths on both sides of what is moved in steps, in an order that is always the same.
    var generator = SeededGenerator(seed: 11)
    let lengths = [0, 1, 4, 63, 64, 65, 100, 127, 128, 200, 511, 512, 513, 700, 2_000]
    for _ in 0..<300 {
      let bodies = (0..<Int.random(in: 1...40, using: &generator)).map { _ in
        let length = lengths.randomElement(using: &generator) ?? 0
        return (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
      }
      var inbox = Inbox()
      inbox.limit = FrameHeader.longLimit
      inbox.joinsCopyData = true
      let messages = bodies.flatMap { BackendEncoder.message(0x64, $0) }
      let rest: [UInt8] = [0x64, 0, 0, 0, 200, 1, 2, 3]
      // To the very end of the memory, behind which nothing may be read.
      let last = BackendEncoder.message(
        0x64, [UInt8](repeating: 7, count: max(0, inbox.room().count - messages.count - 5 - 8)))
      receive(messages + last + rest, &inbox)
      let run = try inbox.takeCopyData()
      let joined = bodies.joined() + last.dropFirst(5)
      #expect(run.count == bodies.count + 1)
      #expect(run.byteCount == joined.count)
      #expect(run.withFrames { Array($0) } == BackendEncoder.message(0x64, Array(joined)))
      #expect(Array(inbox.buffer.unread) == rest)
    }
  }

  @Test(
    "joining goes no further than a message whose length is no message's",
    arguments: [(0, 0), (40, 0), (40, 2048)])
  func joinsNoLies(before: Int, room: Int) {
    let bytes: [UInt8] = [
      0x64, 0, 0, 0, 6, 1, 2, 0x64, 0, 0, 0, 5, 3, 0x64, 0x7F, 0xFF, 0xFF, 0xFF,
    ]
    // So many that the rest is moved in steps where there is room for them.
    let first = (0..<before).flatMap { BackendEncoder.message(0x64, [UInt8($0), 7]) }
    for place in bytes.indices {
      for value in [0, 3, 4, 7, 0x64, 0x80, 0xFF] as [UInt8] {
        var all = first + bytes
        all[first.count + place] = value
        let buffers = (0..<2).map { _ in ReceiveBuffer(capacity: all.count + room) }
        // What is unread is the buffer's memory, and lives as long as that.
        defer { extendLifetime(buffers) }
        for one in buffers {
          one.free.copyBytes(from: all)
          one.received(all.count)
        }
        let found = buffers[0].scanMessages(tag: 0x64, headerSize: 5, bodyLimit: 1_000)
        let joined = buffers[1].joinMessages(
          in: 0..<all.count, tag: 0x64, headerSize: 5, bodyLimit: 1_000)
        #expect(joined.size == found.size && joined.count == found.count)
        guard found.count > 0 else {
          #expect(joined.joined.isEmpty)
          continue
        }
        var (bodies, rest): ([UInt8], ArraySlice<UInt8>) = ([], all.prefix(found.size))
        while !rest.isEmpty {
          let size = rest.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) } - 4
          bodies += rest.dropFirst(5).prefix(size)
          rest = rest.dropFirst(5 + size)
        }
        #expect(
          Array(buffers[1].unread.prefix(joined.joined.count))
            == BackendEncoder.message(0x64, bodies))
        // What lies behind is as it was.
        #expect(buffers[1].unread.dropFirst(found.size).elementsEqual(all.dropFirst(found.size)))
      }
    }
  }

  @Test("copied data comes into the memory that was given back, and never into what somebody has")
  func returnedMemory() throws {
    var inbox = Inbox()
    let bytes = { (value: UInt8) in
      BackendEncoder.message(0x64, [UInt8](repeating: value, count: 20_000))
    }
    receive(bytes(0), &inbox)
    _ = try inbox.takeCopyData()
    var runs: [CopyRun] = []
    var places: Set<UnsafeRawPointer> = []
    for round in 0..<40 {
      // A part of the next message is there already, and has to come along.
      let message = bytes(UInt8(round))
      receive(Array(message.prefix(11)), &inbox)
      #expect(try inbox.nextFrame() == nil)
      receive(Array(message.dropFirst(11)), &inbox)
      runs.append(try inbox.takeCopyData())
      places.insert(runs[runs.count - 1].buffer.base)
      if runs.count > 3 { runs.removeFirst() }
      for (distance, run) in runs.reversed().enumerated() {
        run.forEach {
          #expect($0.allSatisfy { $0 == UInt8(round - distance) } && $0.count == 20_000)
        }
      }
    }
    #expect(places.count <= 6)
    // Another message ends the copying, and nothing more is kept.
    receive([0x63, 0, 0, 0, 4], &inbox)
    _ = try inbox.takeMessage(try #require(try inbox.nextFrame()))
    weak let last = runs[0].buffer
    runs = []
    _ = inbox.room()
    #expect(last == nil)
  }

  @Test("messages whose lengths do not fit are not walked over")
  func lyingLengths() {
    let buffer = ReceiveBuffer(capacity: 64)
    let bytes: [UInt8] = [0x64, 0, 0, 0, 6, 1, 2, 0x64, 0x7F, 0xFF, 0xFF, 0xFF, 0x64, 0, 0, 0, 3]
    buffer.free.copyBytes(from: bytes)
    buffer.received(bytes.count)
    var found: [[UInt8]] = []
    CopyRun(buffer: buffer, frames: 0..<bytes.count, count: 3).forEach { found.append(Array($0)) }
    #expect(found == [[1, 2]])
    found = []
    CopyRun(buffer: buffer, frames: 12..<bytes.count, count: 1).forEach { found.append(Array($0)) }
    #expect(found.isEmpty)
  }
}
