#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// How a throwaway cluster comes to life: a template is copied as far as the server needs it to
// start, the server starts, and the rest is copied meanwhile.

extension TemporaryCluster {
  /// Removes templates of data directories that have not been used for a month, or are more than a
  /// dozen.
  ///
  /// - Returns: How many were removed, or would be.
  @discardableResult
  public static func removeUnusedTemplates(isTrial: Bool = false) -> Int {
    (try? TemplateCache())?.removeUnused(isTrial: isTrial) ?? 0
  }

  /// From which template a cluster is copied.
  struct TemplateSource {
    let cache: TemplateCache
    /// What initdb makes.
    let initial: String
    /// What the seeds have made of that; the same where there are none.
    let grown: String

    /// - Returns: `nil` if nothing is to be copied, or nowhere is a place to keep it.
    /// - Throws: ``PGError`` if a seed has no digest.
    init?(
      _ options: Options, _ sowing: Sowing, _ installation: Installation, _ user: ServerUser?
    ) throws(PGError) {
      let making = TemporaryCluster.initOptions(options, installation)
      guard options.usesTemplates, !making.hasOwnPlaces, let cache = try? TemplateCache() else {
        return nil
      }
      self.cache = cache
      initial = TemplateCache.key(installation, making, user)
      grown = sowing.isEmpty ? initial : try TemporaryCluster.key(initial, sowing, options)
    }
  }

  func begin(
    _ options: Options, _ sowing: Sowing, _ source: TemplateSource?, _ user: ServerUser?
  ) throws(PGError) {
    let making = Self.initOptions(options, cluster.installation)
    var starting = try startOptions(options)
    if starting.listening != .socketOnly { starting.password = try Self.makePassword() }
    if options.usesTLS {
      let certificate = ServerCertificate(directory: root.path, user: user)
      try certificate.make()
      starting.settings += certificate.settings
    }
    var isStarted = false
    if let source {
      let obstacle = try startFromTemplate(source, options, sowing, making, starting, user)
      keepObstacle.withLock { $0 = obstacle }
      isStarted = obstacle == nil
    }
    if !isStarted {
      try cluster.initialize(making)
      if !sowing.isEmpty { try sow(sowing, in: cluster.dataDirectory.path, options) }
      try cluster.start(starting)
    }
    if let password = starting.password { try secure(password) }
    try startStandbys(options, starting)
  }

  /// - Returns: `nil` if it runs; otherwise why no template can be kept, and nothing was done.
  private func startFromTemplate(
    _ source: TemplateSource, _ options: Options, _ sowing: Sowing,
    _ making: Cluster.InitOptions, _ starting: Cluster.StartOptions, _ user: ServerUser?
  ) throws(PGError) -> PGError? {
    let cache = source.cache
    let deadline = Deadline.after(making.wait)
    let initialize = { (data: String) throws(PGError) in
      try self.initialize(data, making, user)
    }
    guard !sowing.isEmpty else {
      return try cache.withTemplate(
        key: source.initial, place: self.root.path, owner: user, until: deadline, make: initialize
      ) {
        template throws(PGError) in try self.start(template, starting, user)
      }
    }
    let grow = { (data: String) throws(PGError) in
      let obstacle = try cache.withTemplate(
        key: source.initial, place: self.root.path, owner: user, until: deadline, make: initialize
      ) {
        template throws(PGError) in
        try template.copyLeading(to: data, owner: user)()
      }
      if obstacle != nil { try initialize(data) }
      try self.sow(sowing, in: data, options)
    }
    return try cache.withTemplate(
      key: source.grown, place: self.root.path, owner: user, until: deadline, make: grow
    ) { template throws(PGError) in try self.start(template, starting, user) }
  }

  private static func initOptions(
    _ options: Options, _ installation: Installation
  ) -> Cluster.InitOptions {
    var making = Cluster.InitOptions()
    making.superuser = superuser
    making.localAuthentication = "trust"
    making.synchronizes = false
    making.encoding = options.encoding
    making.locale = options.locale
    let major = installation.serverVersion.major
    making.arguments = major >= 14 ? ["--no-instructions"] : []
    if major >= 11, !options.initArguments.contains(where: { $0.hasPrefix("--wal-segsize") }) {
      making.arguments.append("--wal-segsize=1")
    }
    making.arguments += options.initArguments
    return making
  }

  /// So much a cluster takes at least whose template has not been made yet.
  private static let usualSize: UInt64 = 40 << 20

  /// How much the data of a cluster and its standbys takes when they have just been made, in bytes.
  static func size(of options: Options, from source: TemplateSource?) -> UInt64 {
    let copies = UInt64(1 + max(0, options.standbys))
    let known = source.flatMap { $0.cache.size(ofTemplate: $0.grown) }
    return (known ?? usualSize).multipliedReportingOverflow(by: copies).partialValue
  }

  /// The settings with which a server finds extensions in a directory before its own.
  ///
  /// - Throws: ``PGError`` `-C000` for a server that cannot, or a directory that has none.
  private func extensionSettings(
    _ directory: String?
  ) throws(PGError) -> [ConnectionOptions.Setting] {
    guard let directory = directory.map(AbsolutePath.text(of:)) else { return [] }
    guard cluster.installation.serverVersion.major >= 18 else {
      throw .cluster(
        "PostgreSQL \(cluster.installation.majorVersion) finds extensions only in its own directory",
        hint: "Servers since 18 can look elsewhere.")
    }
    guard (try? FileStatus(of: directory + "/extension"))?.isDirectory == true else {
      throw .cluster(
        "there is no directory \"extension\" in \"\(directory)\"",
        hint: "That is where control and SQL files of extensions are looked for.")
    }
    return [
      .init("extension_control_path", "\(directory):$system"),
      .init("dynamic_library_path", "\(directory)/lib:\(directory):$libdir"),
    ]
  }

  private func startOptions(_ options: Options) throws(PGError) -> Cluster.StartOptions {
    var starting = Cluster.StartOptions()
    starting.settings = options.preset.settings + Self.tidySettings
    starting.settings += try extensionSettings(options.extensionDirectory)
    if options.standbys > 0 { starting.settings += Self.followedSettings }
    starting.settings += options.settings
    starting.listening = options.listening
    if options.usesTLS, options.listening == .socketOnly {
      starting.listening = .loopback(port: nil)
    }
    starting.socketDirectory = root.path
    starting.logFile = logFile
    starting.user = Self.superuser
    starting.wait = options.wait
    // The first login fills the caches that the next ones find.
    starting.database = "postgres"
    starting.probesSocket = true
    starting.times = times
    return starting
  }

  /// Fills the directory of a template with initdb.
  private func initialize(
    _ data: String, _ making: Cluster.InitOptions, _ user: ServerUser?
  ) throws(PGError) {
    let template = Cluster(
      data, installation: cluster.installation, runAs: user?.name, supervisor: supervisor)
    try template.initialize(making)
    try template.shortenLog()
  }

  private func start(
    _ template: Template, _ options: Cluster.StartOptions, _ user: ServerUser?
  ) throws(PGError) {
    times.end("find or make the template")
    var options = options
    do throws(PGError) {
      let data = try DirectoryIdentity.makeApart(cluster.dataDirectory.path, owner: user)
      options.meanwhile = try template.copyLeading(to: data.path, owner: user)
    } catch {
      throw cluster.explained(error, port: nil)
    }
    times.end("copy what the start needs")
    try cluster.start(options)
  }

  private static func makePassword() throws(PGError) -> String {
    do {
      return String(decoding: Hexadecimal.encode(try SecureRandom.bytes(16)), as: UTF8.self)
    } catch { throw .cluster("could not make a password", cause: error) }
  }

  /// Gives the superuser a password, and proves that TCP leads to this server.
  ///
  /// Until then nobody gets in by TCP: a role without a password cannot show one.
  private func secure(_ password: String) throws(PGError) {
    let address = try cluster.address()
    var inside = address
    inside.host = root.path
    inside.password = nil
    let connection = try Connector(inside.connectionOptions(database: "postgres")).connect()
    defer { connection.close() }
    try connection.execute(
      "SET password_encryption = 'scram-sha-256'; "
        + "ALTER ROLE \(Self.superuser) PASSWORD '\(password)'")
    switch Cluster.loginAnswer(at: address, "postgres", until: .after(.seconds(10))) {
    case .dataDirectory(let directory)
    where FileStatus.areSame(directory, cluster.dataDirectory.path): return
    case .dataDirectory(let directory):
      throw .clusterStartup(
        "another server answers at \(address.host):\(address.port): "
          + "its data directory is \"\(directory)\"")
    case .refused(let error): throw error
    case .notYet(let reason): throw .clusterStartup("no login by TCP succeeds: \(reason)")
    }
  }
}

extension Cluster.InitOptions {
  /// Whether an argument leads out of the data directory, or to something that is not in the
  /// arguments, so that what initdb makes is not to be copied.
  var hasOwnPlaces: Bool {
    let names = ["-X", "--waldir", "-W", "--pwprompt", "--pwfile", "-D", "--pgdata", "-L"]
    return password != nil
      || arguments.contains { argument in names.contains { argument.hasPrefix($0) } }
  }
}
