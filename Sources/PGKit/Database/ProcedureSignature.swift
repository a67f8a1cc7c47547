/// What a function or procedure takes and gives, and how it is called in SQL.
struct ProcedureSignature {
  /// The shape of what it gives.
  enum Shape { case value, values, row, rows }

  private struct Argument {
    /// As in `pg_proc`: i, o, b (in and out), v (variadic), t (a column of the result).
    let mode: String
    let name: String
    /// The type for a cast; empty for one that only a call decides.
    let type: String
    /// A variadic argument's element type.
    let element: String

    var isInput: Bool { mode == "i" || mode == "b" || mode == "v" }
    var isOutput: Bool { mode == "o" || mode == "b" || mode == "t" }
  }

  let oid: UInt32
  let name: String
  let result: Shape
  private let isProcedure: Bool
  private let defaultCount: Int
  private let arguments: [Argument]

  /// Reads the rows of `Connection.proc`.
  init(_ row: Row, arguments rows: QueryResult) throws(PGError) {
    oid = try row[0, as: UInt32.self]
    name = try row[1, as: String.self]
    isProcedure = try row[2, as: Bool.self]
    let isSet = try row[3, as: Bool.self]
    let isRow = try row[4, as: Bool.self]
    defaultCount = try row[5, as: Int.self]
    var arguments: [Argument] = []
    for row in rows {
      arguments.append(
        Argument(
          mode: try row[0, as: String.self], name: try row[1, as: String.self],
          type: try row[2, as: String.self], element: try row[3, as: String.self]))
    }
    self.arguments = arguments
    let outputs = arguments.count { $0.isOutput }
    // A record without output parameters has no columns that anybody could know: it is one value.
    let isRecord = try row[6, as: Bool.self]
    let isComposite = isProcedure ? outputs > 0 : isRow && (outputs > 0 || !isRecord)
    result =
      switch (isComposite, isSet) {
      case (true, true): .rows
      case (true, false): .row
      case (false, true): .values
      case (false, false): .value
      }
  }

  private var inputs: [Argument] { arguments.filter(\.isInput) }

  /// The statement that calls it with so many arguments.
  ///
  /// - Throws: ``PGError`` `--PIO` if it cannot take as many.
  func call(count: Int) throws(PGError) -> String {
    let inputs = inputs
    let isVariadic = inputs.last?.mode == "v"
    let least = inputs.count - defaultCount - (isVariadic ? 1 : 0)
    guard count >= least, isVariadic || count <= inputs.count else {
      let expected =
        isVariadic
        ? "at least \(max(least, 0))"
        : least == inputs.count ? "\(least)" : "\(least) to \(inputs.count)"
      throw .parameter(
        "\(name) takes \(expected) argument\(expected == "1" ? "" : "s"), but \(count) were given")
    }
    var list: [String] = []
    for index in 0..<count {
      let isExtra = isVariadic && index >= inputs.count - 1
      let type = isExtra ? inputs[inputs.count - 1].element : inputs[index].type
      list.append(Self.parameter(index + 1, type))
    }
    return text(isProcedure ? withOutputs(list) : list)
  }

  /// The statement that calls it with so many arguments in front, and then arguments of these names.
  ///
  /// - Throws: ``PGError`` `--PIO` if it has no argument of a name, or one is given twice.
  func call(count: Int, named names: [String]) throws(PGError) -> String {
    let inputs = inputs
    guard count <= inputs.count else {
      throw .parameter("\(name) takes \(inputs.count) arguments, but \(count) were given")
    }
    // A procedure's outputs have places too: those in front of the last positional argument are filled
    // there, the others by their names below.
    let front = isProcedure ? placesInFront(of: count) : []
    var number = 0
    var list = (isProcedure ? front : Array(inputs.prefix(count))).map { argument -> String in
      guard argument.isInput else { return "NULL" }
      number += 1
      return Self.parameter(number, argument.type)
    }
    for (index, name) in names.enumerated() {
      guard let place = inputs.firstIndex(where: { $0.name == name }) else {
        throw .parameter("\(self.name) has no argument named \"\(name)\"")
      }
      guard place >= count else {
        throw .parameter("the argument \"\(name)\" of \(self.name) is given twice")
      }
      let argument = inputs[place]
      let variadic = argument.mode == "v" ? "VARIADIC " : ""
      let value = Self.parameter(count + index + 1, argument.type)
      list.append("\(variadic)\(try SQL.quoteIdentifier(name)) => \(value)")
    }
    for argument in arguments.dropFirst(front.count) where isProcedure && argument.mode == "o" {
      list.append("\(try SQL.quoteIdentifier(argument.name)) => NULL")
    }
    return text(list)
  }

  /// The arguments up to the last of so many inputs.
  private func placesInFront(of count: Int) -> [Argument] {
    var left = count
    return Array(
      arguments.prefix { argument in
        if argument.isInput { left -= 1 }
        return left >= 0 && count > 0 && (argument.isInput || left > 0)
      })
  }

  private func text(_ list: [String]) -> String {
    let call = "\(name)(\(list.joined(separator: ", ")))"
    if isProcedure { return "CALL \(call)" }
    return result == .value ? "SELECT \(call)" : "SELECT * FROM \(call)"
  }

  /// A procedure is called with a place for each output too.
  private func withOutputs(_ list: [String]) -> [String] {
    var rest = list[...]
    var all: [String] = []
    for argument in arguments {
      if argument.isInput {
        if let next = rest.popFirst() { all.append(next) }
      } else {
        all.append("NULL")
      }
    }
    return all + rest
  }

  private static func parameter(_ number: Int, _ type: String) -> String {
    type.isEmpty ? "$\(number)" : "$\(number)::\(type)"
  }
}
