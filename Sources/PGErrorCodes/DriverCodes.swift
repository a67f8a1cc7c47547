// The driver's own codes, in SQLSTATE's form and with py-postgresql's values. They never come from
// a server: a server's codes begin with a digit or an upper-case letter.

extension SQLState {
  /// `--000` DriverError: a fault of the driver or of its use that has no code of its own.
  public static let driverError: SQLState = "--000"
  /// `--AUT` AuthenticationMethodError: no acceptable authentication method.
  public static let authenticationMethodError: SQLState = "--AUT"
  /// `--CIO` ColumnError: a column's bytes could not be turned into the value asked for.
  public static let columnError: SQLState = "--CIO"
  /// `--cIO` CompositeError: an attribute of a composite value could not be packed or unpacked.
  public static let compositeError: SQLState = "--cIO"
  /// `--LIB` LoadError: a library of queries could not be loaded or used.
  public static let loadError: SQLState = "--LIB"
  /// `--OPE` OperationError: the operation does not fit the object's state.
  public static let operationError: SQLState = "--OPE"
  /// `--PIO` ParameterError: a parameter's value does not fit the statement.
  public static let parameterError: SQLState = "--PIO"
  /// `--SEC` InsecurityError: the security that was asked for could not be had.
  public static let insecurityError: SQLState = "--SEC"
  /// `--TIO` TypeIOError: a value could not be packed or unpacked.
  public static let typeIOError: SQLState = "--TIO"
  /// `--TOE` ConnectTimeoutError: no connection within `connect_timeout`.
  public static let connectTimeoutError: SQLState = "--TOE"
  /// `-*000` ClientParameterError: a connection option is malformed or contradicts another.
  public static let clientParameterError: SQLState = "-*000"
  /// `-*srv` ServiceDoesNotExistError: no such section in the service files.
  public static let serviceDoesNotExistError: SQLState = "-*srv"
  /// `-C000` ClusterError: a cluster could not be controlled.
  public static let clusterError: SQLState = "-C000"
  /// `-Cini` ClusterInitializationError: a data directory could not be made.
  public static let clusterInitializationError: SQLState = "-Cini"
  /// `-Cidb` InitDBError: initdb failed.
  public static let initDBError: SQLState = "-Cidb"
  /// `-Cbot` ClusterStartupError: the server did not start.
  public static let clusterStartupError: SQLState = "-Cbot"
  /// `-Cdwn` ClusterNotRunningError: the operation needs a running server.
  public static let clusterNotRunningError: SQLState = "-Cdwn"
  /// `-Cout` ClusterTimeoutError: the server did not reach the wanted state in time.
  public static let clusterTimeoutError: SQLState = "-Cout"
  /// `-Cwrn` ClusterWarning: something about a cluster deserves attention.
  public static let clusterWarning: SQLState = "-Cwrn"
  /// `01-00` DriverWarning: the driver's remark that has no code of its own.
  public static let driverWarning: SQLState = "01-00"
  /// `01-CP` IgnoredClientParameterWarning: a connection option was ignored.
  public static let ignoredClientParameterWarning: SQLState = "01-CP"
  /// `01-TP` TypeConversionWarning: a value was converted with loss, or left as it came.
  public static let typeConversionWarning: SQLState = "01-TP"
}
