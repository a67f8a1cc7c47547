extension PQGrammar {
  /// Writes options as `pq://…`.
  static func format(_ options: ConnectionOptions, obscuringPassword: Bool) -> String {
    var rest = options
    let mask = obscuringPassword ? OptionKeyword.mask : nil
    var text = "pq://"
    if let user = options.user {
      text += encode(user, "@/?#:")
      text += options.password.map { ":" + (mask ?? encode($0, "@/?#")) } ?? ""
      text += "@"
      rest.user = nil
      rest.password = nil
    }
    text += hosts(&rest)
    if let database = options.database, !database.isEmpty {
      text += "/" + encode(database, "@/?#")
      rest.database = nil
    }
    let fragment = takeSearchPath(from: &rest)
    let items = driverParameters(rest, mask: mask) + settings(rest)
    if !items.isEmpty { text += "?" + items.joined(separator: "&") }
    return text + (fragment.map { "#" + $0 } ?? "")
  }

  /// The hosts for the body of an IRI, with ports if there is one for each, removed from `options`.
  private static func hosts(_ options: inout ConnectionOptions) -> String {
    let hosts = options.hosts ?? []
    let names: [String]
    if let unix = options.unix {
      names = ["[unix:\(socketText(unix))]"]
      options.unix = nil
    } else if hosts == [""], options.ports?.count != 1 {
      names = ["[]"]
      options.hosts = nil
    } else {
      names = hosts.map { host in
        host.contains(":")
          ? "[\(encode(host, "@/?#]"))]"
          : PercentEncoding.encode(host) { !IRIReading.mayStand(inHost: $0) }
      }
      options.hosts = nil
    }
    guard let ports = options.ports, ports.count == names.count else {
      return names.joined(separator: ",")
    }
    options.ports = nil
    return zip(names, ports).map { "\($0):\($1)" }.joined(separator: ",")
  }

  /// A path for between brackets: with colons for slashes as py-postgresql writes and reads it, or
  /// as it is if it has colons of its own.
  private static func socketText(_ path: String) -> String {
    let isPlain = path.hasPrefix("/") && !path.contains(":")
    let text = isPlain ? String(path.map { $0 == "/" ? ":" : $0 }) : path
    return encode(text, "@?#]")
  }

  private static func takeSearchPath(from options: inout ConnectionOptions) -> String? {
    guard let last = options.settings.last, last.name == SearchPath.name,
      let schemas = SearchPath.parse(last.value), schemas != [""]
    else { return nil }
    options.settings.removeLast()
    return schemas.map { encode($0, ",#@") }.joined(separator: ",")
  }

  private static func driverParameters(_ options: ConnectionOptions, mask: String?) -> [String] {
    OptionKeyword.all.sorted { $0.name < $1.name }.compactMap { keyword in
      keyword.access.format(options).map { value in
        let text = encode(value, "&#")
        return "[\(keyword.name)]=\(keyword.isSecret ? mask ?? text : text)"
      }
    }
  }

  private static func settings(_ options: ConnectionOptions) -> [String] {
    options.settings.map { encode($0.name, "=&#[]") + "=" + encode($0.value, "&#") }
  }

  private static func encode(_ text: String, _ delimiters: StaticString) -> String {
    let reserved = delimiters.withUTF8Buffer { Array($0) }
    return PercentEncoding.encode(text) { byte in
      byte <= UInt8(ascii: " ") || byte == 0x7f || byte == UInt8(ascii: "%")
        || reserved.contains(byte)
    }
  }
}
