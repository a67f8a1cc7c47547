internal import Glibc

/// Tells systemd how a service is: a datagram to the socket that `NOTIFY_SOCKET` names.
///
/// Source: systemd's manual, sd_notify(3).
enum ServiceNotifier {
  /// How often systemd's watchdog wants to hear from this process; `nil` if it does not.
  static var watchdogInterval: Duration? {
    guard let text = getenv("WATCHDOG_USEC").map({ String(cString: $0) }),
      let microseconds = Int64(text), microseconds > 0
    else { return nil }
    if let process = getenv("WATCHDOG_PID").map({ String(cString: $0) }),
      process != "\(getpid())"
    {
      return nil
    }
    return .microseconds(microseconds)
  }

  /// Sends a state, such as `READY=1`; without systemd nothing happens.
  static func send(_ state: String) {
    guard let name = getenv("NOTIFY_SOCKET").map({ String(cString: $0) }),
      let first = name.utf8.first, first == UInt8(ascii: "/") || first == UInt8(ascii: "@")
    else { return }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var path = Array(name.utf8)
    if first == UInt8(ascii: "@") { path[0] = 0 }
    guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
    let isAbstract = first == UInt8(ascii: "@")
    let length = socklen_t(offset + path.count + (isAbstract ? 0 : 1))
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let bytes = Array(state.utf8)
    withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = sendto(
          descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
      }
    }
  }
}
