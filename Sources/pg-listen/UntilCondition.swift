internal import ArgumentParser
internal import PGKit

/// What `--until` waits for: `.payload=="ok"` or `.channel=="done"`.
struct UntilCondition: ExpressibleByArgument, Hashable, Sendable {
  private enum Part: String { case channel, payload }

  private let part: Part
  private let text: String

  /// Reads it; the text may stand in double quotes, where `\"` and `\\` are what they are in JSON.
  init?(argument: String) {
    let pieces = argument.split(separator: "=", maxSplits: 2, omittingEmptySubsequences: false)
    guard pieces.count == 3, pieces[1].isEmpty, let name = Self.name(pieces[0]),
      let part = Part(rawValue: name), let text = Self.unquoted(Self.trimmed(pieces[2]))
    else { return nil }
    self.part = part
    self.text = text
  }

  /// Whether an event is like that.
  func holds(for event: ListenedEvent) -> Bool {
    switch part {
    case .channel: event.channel.utf8.elementsEqual(text.utf8)
    case .payload: event.payload.elementsEqual(text.utf8)
    }
  }

  private static func name(_ text: Substring) -> String? {
    let text = trimmed(text)
    return text.first == "." ? String(text.dropFirst()) : nil
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " }
    while text.last == " " { text.removeLast() }
    return text
  }

  private static func unquoted(_ text: Substring) -> String? {
    guard text.first == "\"" else { return String(text) }
    guard text.count >= 2, text.last == "\"" else { return nil }
    var result = ""
    var isEscaped = false
    for character in text.dropFirst().dropLast() {
      switch (character, isEscaped) {
      case ("\\", false): isEscaped = true
      case ("\"", false): return nil
      case ("\"", true), ("\\", true), (_, false):
        result.append(character)
        isEscaped = false
      default: return nil
      }
    }
    return isEscaped ? nil : result
  }
}
