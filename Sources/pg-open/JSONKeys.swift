internal import ArgumentParser
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// What becomes of columns of the same name in JSON, of which readers would keep only one.
enum DuplicateForm: String, WordArgument {
  /// The second gets a number: `a`, `a_2`.
  case suffix
  /// They are refused.
  case error
  /// Their values become one array, where the first of them stands.
  case array

  /// The words of `--dup`.
  static let list = allValueStrings.joined(separator: ", ")
}

/// The keys of a row's object, and which column's value stands behind each.
struct JSONKeys {
  /// What stands in front of the values, one behind the other: commas, keys, colons, brackets.
  private(set) var texts: [UInt8] = []
  /// The columns in the order in which their values are printed, with where the text in front ends.
  private(set) var places: [(column: Int, end: Int)] = []
  /// What ends the object.
  private(set) var ending = Array("}".utf8)

  /// Without columns.
  init() {}

  /// The keys of a result.
  ///
  /// - Throws: ``Failure`` with status 1 if a name comes twice and that is to be an error.
  init(_ columns: [Column], _ duplicates: DuplicateForm) throws(Failure) {
    var text = OutputBuffer()
    let groups = try Self.groups(columns.map(\.name), duplicates)
    for (index, group) in groups.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      JSONText.append(group.key, to: &text)
      text.append(UInt8(ascii: ":"))
      if group.isArray { text.append(UInt8(ascii: "[")) }
      for (place, column) in group.columns.enumerated() {
        if place > 0 { text.append(UInt8(ascii: ",")) }
        places.append((column, text.count))
      }
      // It stands behind the last value: in front of what comes next.
      if group.isArray { text.append(UInt8(ascii: "]")) }
    }
    if groups.last?.isArray == true { ending = Array("]}".utf8) }
    texts = text.bytes
  }

  private struct Group {
    let key: String
    var columns: [Int]
    var isArray = false
  }

  private static func groups(
    _ names: [String], _ duplicates: DuplicateForm
  ) throws(Failure) -> [Group] {
    if duplicates == .suffix {
      return distinct(names).enumerated().map { Group(key: $1, columns: [$0]) }
    }
    var groups: [Group] = []
    var places: [String: Int] = [:]
    for (column, name) in names.enumerated() {
      guard let place = places[name] else {
        places[name] = groups.count
        groups.append(Group(key: name, columns: [column]))
        continue
      }
      if duplicates == .error { throw refusal(name) }
      groups[place].columns.append(column)
      groups[place].isArray = true
    }
    return groups
  }

  private static func refusal(_ name: String) -> Failure {
    Failure(
      .localFailure,
      Diagnostic(
        program: OpenCommand.program, message: "two columns are called \"\(name)\"",
        details: [("HINT", "name one of them: … AS name; or use --dup suffix or --dup array")]))
  }

  private static func distinct(_ names: [String]) -> [String] {
    var counts: [String: Int] = [:]
    var taken = Set(names)
    return names.map { name in
      let count = counts[name, default: 0] + 1
      counts[name] = count
      if count == 1 { return name }
      var number = count
      while taken.contains("\(name)_\(number)") { number += 1 }
      taken.insert("\(name)_\(number)")
      return "\(name)_\(number)"
    }
  }
}
