/// How a cluster's server was started last, as it has written into `postmaster.opts`.
///
/// Each argument stands there between quotes; what is within them is not escaped.
struct LastStart {
  private let settings: [ConnectionOptions.Setting]

  /// Reads what is in a data directory; `nil` if it was never started, or not by PGKit.
  init?(in directory: DataDirectory) {
    let path = directory.path + "/postmaster.opts"
    guard let text = try? OpenFile.text(of: path, limit: 65_536) else { return nil }
    self.init(parsing: text)
  }

  init?(parsing text: String) {
    let line = text.prefix { $0 != "\n" }
    guard let start = line.range(of: " \""), line.hasSuffix("\"") else { return nil }
    let arguments = Self.split(line[start.upperBound...].dropLast(), between: "\" \"")
    var settings: [ConnectionOptions.Setting] = []
    var isSetting = false
    for argument in arguments {
      if isSetting, let sign = argument.firstIndex(of: "=") {
        let value = argument[argument.index(after: sign)...]
        settings.append(.init(String(argument[..<sign]), String(value)))
      }
      isSetting = argument == "-c"
    }
    self.settings = settings
  }

  private static func split(_ text: Substring, between mark: String) -> [Substring] {
    var parts: [Substring] = []
    var rest = text
    while let place = rest.range(of: mark) {
      parts.append(rest[..<place.lowerBound])
      rest = rest[place.upperBound...]
    }
    return parts + [rest]
  }

  /// The options that start a server in the same way.
  var options: Cluster.StartOptions {
    var options = Cluster.StartOptions()
    // Ours come first; the caller's own, which count, come after them.
    var rest = settings[...]
    let listens = rest.first?.name == "listen_addresses" ? rest.popFirst()?.value : nil
    let isOurs = rest.first?.name == "unix_socket_directories"
    if isOurs { rest.removeFirst() }
    guard isOurs else {
      options.listening = .configured
      options.settings = settings
      return options
    }
    if listens?.isEmpty == false {
      let port = rest.first?.name == "port" ? rest.popFirst().flatMap { Int($0.value) } : nil
      options.listening = .loopback(port: port)
    }
    options.settings = Array(rest)
    return options
  }
}

extension Substring {
  /// Where a text stands first in it.
  fileprivate func range(of mark: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(mark) {
        return start..<index(start, offsetBy: mark.count)
      }
      start = index(after: start)
    }
    return nil
  }
}

extension Cluster {
  /// The options with which its server was started last; those of a first start if it never was, or not
  /// by PGKit.
  public var lastStartOptions: StartOptions {
    LastStart(in: dataDirectory)?.options ?? StartOptions()
  }
}
