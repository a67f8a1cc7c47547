internal import Glibc

/// The memory in which the system keeps a program's arguments, and shows them to everybody (`ps`).
public enum ArgumentMemory {
  /// Puts stars over the passwords in arguments that are IRIs or keyword strings.
  ///
  /// What the program itself reads of its arguments was copied before. A moment remains in which the
  /// password could be seen: whoever minds that passes it in another way.
  public static func hidePasswords() {
    // Made now, so that the program's copy is that of before.
    let arguments = CommandLine.arguments
    guard arguments.contains(where: { !passwords(in: Array($0.utf8)).isEmpty }),
      let memory = area()
    else { return }
    for argument in memory.split(separator: 0) {
      for range in passwords(in: Array(argument)) {
        for index in range { memory[argument.startIndex + index] = UInt8(ascii: "*") }
      }
    }
  }

  /// Where in an argument passwords stand: behind the user of an IRI, and behind `password=`.
  static func passwords(in argument: [UInt8]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    if let user = userPart(of: argument),
      let colon = argument[user].firstIndex(of: UInt8(ascii: ":"))
    {
      ranges.append(colon + 1..<user.upperBound)
    }
    let key = Array("password".utf8)
    var start = 0
    while let found = argument[start...].firstRange(of: key) {
      start = found.upperBound
      // In an IRI of the dialect pq, the key stands in brackets; in a keyword string, blanks may follow.
      let rest = argument[start...].drop { !Self.endsKey.contains($0) && $0 != UInt8(ascii: "=") }
      guard rest.first == UInt8(ascii: "="), rest.startIndex - start <= Self.longestGap else {
        continue
      }
      start =
        argument[(rest.startIndex + 1)...].firstIndex { $0 != UInt8(ascii: " ") } ?? argument.count
      ranges.append(start..<end(ofValueAt: start, in: argument))
    }
    return ranges.filter { !$0.isEmpty }
  }

  /// What may stand between the key and its equals sign at most: `%5D`.
  private static let longestGap = 3
  private static let endsKey = Array("&?#/'".utf8)

  /// What stands between the `//` and the `@` of an IRI.
  private static func userPart(of argument: [UInt8]) -> Range<Int>? {
    guard let slashes = argument.firstRange(of: Array("://".utf8)),
      argument.starts(with: Array("p".utf8)) || argument.contains(UInt8(ascii: "="))
    else { return nil }
    let rest = argument[slashes.upperBound...]
    let end =
      rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
    // A password with a slash in it must be encoded; should it not be, it is hidden all the same.
    guard
      let at = rest[..<end].lastIndex(of: UInt8(ascii: "@"))
        ?? rest.lastIndex(of: UInt8(ascii: "@"))
    else { return nil }
    return slashes.upperBound..<at
  }

  private static func end(ofValueAt start: Int, in argument: [UInt8]) -> Int {
    let rest = argument[start...]
    if rest.first == UInt8(ascii: "'") {
      var index = start + 1
      while index < argument.count, argument[index] != UInt8(ascii: "'") {
        index += argument[index] == UInt8(ascii: "\\") ? 2 : 1
      }
      return min(index + 1, argument.count)
    }
    return rest.firstIndex {
      [UInt8(ascii: " "), UInt8(ascii: "&"), UInt8(ascii: "#")].contains($0)
    }
      ?? rest.endIndex
  }

  /// The arguments one after the other, each with a NUL behind it, as the system shows them.
  ///
  /// Source: proc_pid_stat(5), `arg_start` and `arg_end`.
  private static func area() -> UnsafeMutableBufferPointer<UInt8>? {
    guard let bytes = try? TextFile.read("/proc/self/stat", program: ""),
      // The name of the program, in parentheses, may hold anything.
      let name = bytes.lastIndex(of: UInt8(ascii: ")"))
    else { return nil }
    let fields = bytes[(name + 1)...].split(separator: UInt8(ascii: " ")).map {
      UInt(String(decoding: $0, as: UTF8.self)) ?? 0
    }
    // Fields 48 and 49; the first behind the name is number 3.
    guard fields.count > 46, fields[46] > fields[45], fields[45] > 0,
      fields[46] - fields[45] < 1 << 30
    else { return nil }
    return UnsafeMutableBufferPointer(
      start: UnsafeMutablePointer(bitPattern: fields[45]), count: Int(fields[46] - fields[45]))
  }
}
