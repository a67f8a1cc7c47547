@testable import PGKit

/// Numbers that are the same in every run.
struct OptionSeed: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

extension ConnectionOptions {
  /// Options of which each is given or not by chance, with texts full of delimiters.
  static func random(_ numbers: inout OptionSeed, withSettings: Bool) -> ConnectionOptions {
    var options = ConnectionOptions()
    for keyword in OptionKeyword.all where Bool.random(using: &numbers) {
      _ = keyword.access.parse(text(for: keyword, &numbers), &options)
    }
    if withSettings {
      for index in 0..<Int.random(in: 0...3, using: &numbers) {
        options.setSetting("s\(index)" + word(&numbers), to: word(&numbers))
      }
      if Bool.random(using: &numbers) {
        options.setSetting("search_path", to: SearchPath.format(["a", word(&numbers)]))
      }
    }
    return options
  }

  /// A text that the option takes.
  static func text(for keyword: OptionKeyword, _ numbers: inout OptionSeed) -> String {
    let count = Int.random(in: 1...3, using: &numbers)
    switch keyword.name {
    case "host":
      let hosts = ["a", "::1", "/run/x y", "@abstract", "b%c", "fe80::1%eth0", "", "[x]", "é"]
      return (0..<count).map { _ in hosts.randomElement(using: &numbers) ?? "" }
        .joined(separator: ",")
    case "port":
      return (0..<count).map { _ in "\(Int.random(in: 1...65535, using: &numbers))" }
        .joined(separator: ",")
    case "unix": return "/run/" + word(&numbers)
    case "sslmode": return SSLMode.allCases.randomElement(using: &numbers)?.rawValue ?? ""
    case "requiressl": return "1"
    case "target_session_attrs":
      return TargetSession.allCases.randomElement(using: &numbers)?.rawValue ?? ""
    case "load_balance_hosts": return "random"
    case "keepalives", "sslsni": return "0"
    case "connect_timeout", "scram_max_iterations": return "\(count)"
    default:
      let words = ["3.2", "TLSv1.3", "direct", "require", "disable", "7", word(&numbers)]
      for word in words.shuffled(using: &numbers) {
        var scratch = ConnectionOptions()
        if keyword.access.parse(word, &scratch) == nil { return word }
      }
      return ""
    }
  }

  static func word(_ numbers: inout OptionSeed) -> String {
    let alphabet = Array("abZ09 :/?#[]@!$&'()*+,;=%\\\"é√\u{1F600}\t\n-._~")
    return String(
      (0..<Int.random(in: 0...9, using: &numbers)).compactMap { _ in
        alphabet.randomElement(using: &numbers)
      })
  }
}
