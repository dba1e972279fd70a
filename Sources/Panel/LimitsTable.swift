// `--limits`: every limit with its unit, and the memory that each holder costs.

import CMartletPlatform
import Martlet

/// What `--limits` prints.
enum LimitsTable {
  /// Prints the table.
  static func print() {
    heading("Requests")
    row("head", Limits.requestHeadSizeMax, "octets")
    row("target", Limits.requestTargetSizeMax, "octets")
    row("field lines", Limits.fieldLineCountMax, "")
    row("content", Limits.requestContentSizeMax, "octets")
    row("chunk extension, trailer", Limits.chunkExtensionSizeMax, "octets")
    heading("Responses")
    row("head", Limits.responseHeadSizeMax, "octets")
    row("fields of a page", Limits.responseFieldsSizeMax, "octets")
    row("content", Limits.responseContentSizeMax, "octets")
    heading("Connections")
    row("at a time", Limits.connectionCountMax, "")
    row("waiting for a slot", Limits.backlogCount, "")
    row("TLS connections at a time", Limits.encryptedConnectionCountMax, "")
    row("handshake within", Int(Limits.handshakeTimeoutMilliseconds), "ms")
    row("passwords hashed at a time", Limits.workCountMax, "")
    row("waiting for that", Limits.workQueueCountMax, "")
    row("unsent before an answer", Limits.unsentSizeMax, "octets")
    row("small blocks", Limits.smallBlockCountMax, "")
    row("large blocks", Limits.largeBlockCountMax, "")
    row("large blocks of requests", Limits.requestLargeBlockCountMax, "")
    row("uploads, a block each", Limits.uploadCountMax, "")
    row("head within", Int(Limits.headTimeoutMilliseconds), "ms")
    row("content within", Int(Limits.contentTimeoutMilliseconds), "ms")
    row("resting", Int(Limits.idleTimeoutMilliseconds), "ms")
    row("resting, as clients are told", Limits.keepAliveSeconds, "s")
    row("sending without progress", Int(Limits.sendTimeoutMilliseconds), "ms")
    row("working on an answer", Int(Limits.workTimeoutMilliseconds), "ms")
    row("lingering", Int(Limits.lingerTimeoutMilliseconds), "ms")
    row("stopping", Int(Limits.stopTimeoutMilliseconds), "ms")
    row("upload's rate at least", Limits.uploadRateMin, "octets/s")
    row("upload behind that rate", Int(Limits.uploadSlackMilliseconds), "ms")
    row("chain of certificates", Limits.certificateChainSizeMax, "octets")
    row("content of a TLS record", Limits.recordSizeMax, "octets")
    row("other descriptors", Limits.otherDescriptorCountMax, "")
    heading("Kernel memory")
    row("unsent octets of each", Int(MARTLET_SEND_BUFFER_SIZE), "octets")
    row("unread octets of each", Int(MARTLET_RECEIVE_BUFFER_SIZE), "octets")
    row("socket of each", Int(MARTLET_SOCKET_SIZE), "octets")
    row("connections in all", Limits.connectionCountMax * Limits.kernelConnectionSizeMax, "octets")
    heading("Sessions and logins")
    row("session", Limits.sessionSizeMax, "octets")
    row("token", Limits.tokenSizeMax, "octets")
    row("next", Limits.nextSizeMax, "octets")
    row("path below which it is seen", Limits.prefixSizeMax, "octets")
    row("user identifier", Limits.userIDSizeMax, "octets")
    row("password", Limits.passwordSizeMax, "octets")
    row("remembered", Limits.rememberDaysMax, "days")
    row("addresses that failed", Limits.failedAddressCountMax, "")
    row("names that failed there", Limits.failedLoginCountMax, "")
    row("names that failed anywhere", Limits.failedNameCountMax, "")
    row("networks /24, /56 that failed", Limits.failedNearNetworkCountMax, "")
    row("networks /48 that failed", Limits.failedFarNetworkCountMax, "")
    row("trusted proxies", Limits.trustedProxyCountMax, "")
    row("nesting of JSON", Limits.jsonDepthMax, "levels")
    heading("Panel")
    row("accounts", Accounts.countMax, "")
    row("accounts file", Accounts.fileSizeMax, "octets")
    row("sessions of an account", Sessions.accountCountMax, "")
    row("unused for", Int(Sessions.idleTime / 86_400), "days")
    row("in all", Int(Sessions.lifetime / 86_400), "days")
    row("unused for, remembered", Int(Sessions.rememberedIdleTime / 86_400), "days")
    row("in all, remembered", Int(Sessions.rememberedLifetime / 86_400), "days")
    row("sessions file", Sessions.fileSizeMax, "octets")
    row("tokens of programs", Tokens.countMax, "")
    row("tokens file", Tokens.fileSizeMax, "octets")
    row("disks shown", Disks().items.count, "")
    row("interfaces shown", Interfaces().items.count, "")
    row("addresses of an interface", Interface.addressCountMax, "")
    row("children that ask disks", Questions.childCount, "")
    row("a disk answers within", Int(Measurements.answerMilliseconds), "ms")
    row("processors told apart", ProcessorTimes.coreCountMax, "")
    row("a sample every", Sampler.seconds, "s")
    row("samples of an hour", Rings.slotCount, "")
    row("samples of a day", Rings.slotCount, "")
    row("processors with samples", Rings.coreCount, "")
    row("points of a plot", Curve.pointCount, "")
    row("alerts", Alerts.count, "")
    row("alerts file", Alerts.fileSizeMax, "octets")
    row("address of the webhook", HookAddress.sizeMax, "octets")
    row("alerts waiting to be sent", Webhook.queueCountMax, "")
    row("an alert is sent within", Int(Webhook.lifetime / 60_000), "min")
    row("a webhook answers within", Int(Delivery.milliseconds), "ms")
    row("browsers that watch", Panel.watcherCountMax, "")
    printMemory()
  }

  /// One line a holder; the last of them is what no array of ours holds. The sum is the linker's.
  private static func printMemory() {
    heading("Static memory")
    let all = Int(martlet_linked_size())
    var rest = all
    memory("receive buffer", Limits.receiveSizeMax, &rest)
    memory("response fields", Limits.responseFieldsSizeMax, &rest)
    memory("response", Limits.responseSizeMax, &rest)
    memory("small blocks", Limits.smallBlockCountMax * Limits.smallBlockSize, &rest)
    memory("large blocks", Limits.largeBlockCountMax * Limits.largeBlockSize, &rest)
    memory("where the response begins", Int(MARTLET_RESPONSE_SHIFT_SIZE), &rest)
    memory(
      "connection slots", Limits.connectionCountMax * Int(MARTLET_CONNECTION_SIZE), &rest)
    // Two more than connections: the listener and the signals.
    memory(
      "poll entries", Int(MARTLET_POLL_COUNT) * MemoryLayout<martlet_poll_entry>.stride,
      &rest)
    memory("TLS and certificates", CertificateStore.staticSize, &rest)
    memory("remembered tokens", Limits.rememberedTokenCountMax * MemoryLayout<martlet_token>.stride, &rest)
    memory("passwords being hashed", Limits.workCountMax * Int(MARTLET_WORK_SIZE), &rest)
    memory("session", Limits.sessionSizeMax, &rest)
    memory("history", Rings.size, &rest)
    memory("files that are read", System.scratchSize, &rest)
    memory("a line for the terminal", Int(MARTLET_MESSAGE_SIZE), &rest)
    memory("a line of the log", Int(MARTLET_LOG_SIZE), &rest)
    row("C library and others", rest, "octets")
    row("in all", all, "octets")
  }

  private static func memory(_ name: StaticString, _ size: Int, _ rest: inout Int) {
    row(name, size, "octets")
    rest -= size
  }

  private static func heading(_ name: StaticString) {
    var message = Message(name)
    message.print()
  }

  private static func row(_ name: StaticString, _ value: Int, _ unit: StaticString) {
    var message = Message("  ")
    message.add(name)
    for _ in name.utf8CodeUnitCount..<max(30, name.utf8CodeUnitCount) { message.add(" ") }
    var rest = value
    var width = 8
    repeat {
      rest /= 10
      width -= 1
    } while rest > 0
    for _ in 0..<max(width, 0) { message.add(" ") }
    message.add(value)
    if unit.utf8CodeUnitCount > 0 { message.add(" ") }
    message.add(unit)
    message.print()
  }
}
