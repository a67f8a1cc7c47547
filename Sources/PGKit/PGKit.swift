@_exported public import PGErrorCodes

/// Opens a connection the way libpq's programs do: what the IRI does not say is filled from the
/// environment, the service files and the password file.
///
/// What was passed over, such as a password file that others may read, is told to ``Messages/hook``.
///
/// - Parameters:
///   - iri: `pq://…`, `postgres://…`, `postgresql://…` or `key=value …`; `nil` leaves everything to
///     the environment.
///   - overrides: What is said here beats every other source.
/// - Throws: ``PGError``: `-*000` naming the option that is malformed; else as ``Connector/connect(until:)``.
///
/// In py-postgresql: `postgresql.open`.
public func open(
  _ iri: String? = nil, _ overrides: ConnectionOptions = ConnectionOptions()
) throws(PGError) -> Connection {
  let resolved = try OptionSources().resolve(iri: iri, overrides: overrides)
  try resolved.options.requireSpokenEncoding()
  for warning in resolved.warnings {
    Messages.hook(.warning(.ignoredClientParameterWarning, warning))
  }
  return try Connector(resolved.options).connect()
}

/// Connects with exactly these options: nothing is inherited from the environment.
///
/// In py-postgresql: `postgresql.driver.connect`.
public func connect(_ options: ConnectionOptions) throws(PGError) -> Connection {
  try options.requireSpokenEncoding()
  return try Connector(options).connect()
}
