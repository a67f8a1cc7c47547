extension ReceiveBuffer {
  /// Finds the fields of whole messages at the front, each of which is a count of 16 bits and so many
  /// fields, every one with its length before it.
  ///
  /// Nothing that the bytes say is believed: each length is compared with what its message has left, and the
  /// table has no more entries than the bytes have room for.
  ///
  /// - Parameters:
  ///   - messages: What ``scanMessages(tag:headerSize:bodyLimit:)`` found.
  ///   - headerSize: The size of a message's tag and length.
  ///   - columns: How many fields each message must have.
  /// - Returns: Where they lie, message by message; `nil` if one does not have exactly that form.
  func locateFields(
    in messages: (size: Int, count: Int), headerSize: Int, columns: Int
  ) -> CellTable? {
    guard columns >= 0, messages.size >= 0, messages.size <= count,
      messages.count <= messages.size / (headerSize + 2 + 4 * columns)
    else { return nil }
    let total = messages.count * columns
    var isWhole = false
    let cells = CellTable(capacity: total) { table, filled in
      isWhole = locateFields(in: messages, headerSize, columns, table, &filled)
    }
    return isWhole ? cells : nil
  }

  /// Fills the table, which has an entry for each field of each message.
  private func locateFields(
    in messages: (size: Int, count: Int), _ headerSize: Int, _ columns: Int,
    _ table: UnsafeMutableBufferPointer<Cell>, _ filled: inout Int
  ) -> Bool {
    // In locals, which stay in registers: this is done for each value that a server sends.
    let base = self.base
    let limit = start + messages.size
    var place = start
    var index = 0
    defer { filled = index }
    // A place is kept in 32 bits.
    guard limit <= Int(UInt32.max) else { return false }
    for _ in 0..<messages.count {
      guard limit &- place >= headerSize &+ 2 else { return false }
      let length = base.loadUnaligned(fromByteOffset: place &+ 1, as: UInt32.self)
      // The length counts itself, and not the tag.
      let end = place &+ 1 &+ Int(UInt32(bigEndian: length))
      place &+= headerSize
      guard end <= limit, end &- place >= 2 else { return false }
      let announced = base.loadUnaligned(fromByteOffset: place, as: UInt16.self)
      guard Int(UInt16(bigEndian: announced)) == columns else { return false }
      place &+= 2
      for _ in 0..<columns {
        guard end &- place >= 4 else { return false }
        let stored = base.loadUnaligned(fromByteOffset: place, as: Int32.self)
        let size = Int32(bigEndian: stored)
        place &+= 4
        // NULL has a length of −1, and no bytes.
        guard size >= -1, Int(size) <= end &- place else { return false }
        table[index] = Cell(offset: UInt32(truncatingIfNeeded: place), length: size)
        place &+= max(Int(size), 0)
        index &+= 1
      }
      guard place == end else { return false }
    }
    return true
  }
}
