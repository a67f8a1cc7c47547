/// What the system refused: the call's name and the number that it left in `errno`.
public struct SystemError: Error, Hashable, Sendable {
  /// The call's name, for example `connect`.
  public let call: String
  /// The error's number.
  public let number: Int32

  /// Makes an error of a call and its number.
  public init(call: String, number: Int32) {
    self.call = call
    self.number = number
  }

  /// The error's text in English, whatever the locale: `Connection refused`.
  public var text: String { Syscalls.text(ofError: number) }
}

extension SystemError: CustomStringConvertible {
  /// The call and the text: `connect: Connection refused`.
  public var description: String { "\(call): \(text)" }
}
