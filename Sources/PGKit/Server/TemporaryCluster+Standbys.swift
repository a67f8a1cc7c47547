extension TemporaryCluster {
  /// What a server needs for others to follow it.
  static let followedSettings = ["wal_level": "replica", "max_wal_senders": "20"].map {
    ConnectionOptions.Setting($0.key, $0.value)
  }

  /// How long one copy of the data may take.
  private static let copyPatience = Duration.seconds(300)

  /// Makes and starts the standbys, each a copy that streams what the server writes.
  ///
  /// Source: PostgreSQL manual, "Streaming Replication".
  func startStandbys(_ options: Options, _ starting: Cluster.StartOptions) throws(PGError) {
    guard options.standbys > 0 else { return }
    var address = try cluster.address()
    address.host = root.path
    let user = try cluster.serverUser()
    for number in 1...options.standbys {
      let path = "\(root.path)/standby\(number)"
      _ = try DirectoryIdentity.makeApart(path, owner: user)
      var launch = try cluster.launch(
        "pg_basebackup",
        [
          "--pgdata=\(path)", "--host=\(root.path)", "--port=\(address.port)",
          "--username=\(Self.superuser)", "--write-recovery-conf", "--checkpoint=fast", "--no-sync",
          "--wal-method=stream",
        ], as: user)
      // The supervisor looks after the first server; it finds the others by where they work.
      launch.supervisor = nil
      let (ending, text) = try launch.capture(until: .after(Self.copyPatience))
      guard ending.isSuccess else {
        throw .clusterInitialization("pg_basebackup \(ending) for standby \(number):\n\(text)")
      }
      try start(number, at: path, port: address.port + number, starting)
    }
  }

  private func start(
    _ number: Int, at path: String, port: Int, _ options: Cluster.StartOptions
  ) throws(PGError) {
    let standby = Cluster(path, installation: cluster.installation, runAs: cluster.runAs)
    var options = options
    options.settings.append(.init("port", String(port)))
    options.listening = .socketOnly
    options.password = nil
    options.logFile = "\(root.path)/standby\(number).log"
    options.meanwhile = nil
    followers.withLock { $0.append(standby) }
    try standby.start(options)
  }
}
