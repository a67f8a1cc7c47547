extension LibpqGrammar {
  /// Writes options as `postgresql://…`.
  static func format(_ options: ConnectionOptions, obscuringPassword: Bool) -> String {
    var options = options.withSettingsAsSwitches()
    var text = "postgresql://"
    let mask = obscuringPassword ? OptionKeyword.mask : nil
    if options.user?.isEmpty == false || options.password?.isEmpty == false {
      text += take(&options.user).map(encode) ?? ""
      text += take(&options.password).map { ":" + (mask ?? encode($0)) } ?? ""
      text += "@"
    }
    text += hosts(&options) + "/" + (take(&options.database).map(encode) ?? "")
    let items = OptionKeyword.all.compactMap { keyword in
      keyword.access.format(options).map { value in
        keyword.name + "=" + (keyword.isSecret ? mask ?? encode(value) : encode(value))
      }
    }
    return items.isEmpty ? text : text + "?" + items.joined(separator: "&")
  }

  /// Removes a text that the body of an IRI can say: an empty one it cannot.
  private static func take(_ text: inout String?) -> String? {
    guard let taken = text, !taken.isEmpty else { return nil }
    text = nil
    return taken
  }

  /// The hosts for the body of an IRI, removed from the options, if the body can say them: of
  /// several hosts it always says the ports too, and an empty list it cannot say.
  private static func hosts(_ options: inout ConnectionOptions) -> String {
    guard let hosts = options.hosts, hosts.count > 1 || hosts.first?.isEmpty == false else {
      return ""
    }
    let ports = options.ports ?? []
    guard ports.count == hosts.count || (ports.isEmpty && hosts.count == 1) else { return "" }
    guard hosts.contains(where: { !$0.isEmpty }) else { return "" }
    options.hosts = nil
    options.ports = nil
    return hosts.indices.map { index in
      let host = encode(hosts[index])
      let name = hosts[index].contains(":") ? "[\(host)]" : host
      return ports.isEmpty ? name : "\(name):\(ports[index])"
    }.joined(separator: ",")
  }

  private static func encode(_ text: String) -> String {
    PercentEncoding.encode(text) { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: ","):
        false
      default: true
      }
    }
  }
}
