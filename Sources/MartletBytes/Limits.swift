// Every number of the system that bounds something: what it counts, its unit, and why that number.
// Each number stands once. A number that sizes static memory stands in martlet_memory.h, because C holds
// the arrays; the constant here has its value from there.

import CMartletPlatform

/// The prefixes of trusted proxies.
public typealias TrustedPrefixes = InlineArray<4, IPPrefix>

/// What is known of the parameters of a path, one entry for each.
public typealias PathParameters<Entry> = InlineArray<4, Entry>

/// Room for the decoded credentials of the Basic scheme: user, colon, password.
public typealias CredentialsBuffer = FixedBuffer<1_089>

/// A line end, two hyphens and the boundary of a form in parts, and the octet behind them.
public typealias PartDelimiter = InlineArray<75, UInt8>

/// The field lines of one part of a form.
public typealias PartHead = InlineArray<512, UInt8>

/// The name of a file that a client sends.
public typealias FileNameText = Text<255>

/// Failed logins by address, by name at an address, by name, by near and by far network.
public typealias FailureTable<Entry> = InlineArray<192, Entry>

/// Ranges of octets that one request asks for, one entry for each.
public typealias RangeTable<Entry> = InlineArray<8, Entry>

/// Every limit, with its unit and its reason.
public enum Limits {
  // MARK: Requests

  /// Octets of a request head: request line, field section and the empty line. Most servers accept 16 KiB;
  /// browsers send less than 1 KiB. Cookies of other programs at this host add to that and have no limit of
  /// their own. Beyond: 431.
  public static var requestHeadSizeMax: Int { 16_384 }

  /// Octets of a request target. RFC 9112 §3 recommends room for 8,000. Beyond: 414.
  public static var requestTargetSizeMax: Int { 8_000 }

  /// Parameters in a path (`/items/<int:id>`). A path with more of them would say more clearly in its
  /// query what it means. Beyond: the program does not start.
  public static var pathParameterCountMax: Int { 4 }

  /// Field lines in a request. Browsers send some 20; proxies add a few. Beyond: 431.
  public static var fieldLineCountMax: Int { 100 }

  /// Octets of the zone in an IPv6 host (`eth0` of `[fe80::1%eth0]`): four times the longest name of
  /// an interface, because each octet may be percent-encoded. Beyond: 400.
  public static var zoneSizeMax: Int { 64 }

  /// Cookies with one name that are verified until a valid cookie is found. Programs at other ports and at
  /// parent domains may set more of them. Each try costs an HMAC of at most 4 KiB. Beyond: not read.
  public static var cookieTryCountMax: Int { 4 }

  /// Octets of a request's content after chunks are put together. A form is some hundred octets.
  /// Beyond: 413.
  public static var requestContentSizeMax: Int { 16_384 }

  /// Octets of a request's content that its page reads in pieces: the largest `Int` of 32-bit boards. Each
  /// page sets a lower limit of its own. Beyond: 413.
  public static var requestPiecesSizeMax: Int { 0x7FFF_FFFF }

  /// Octets of the reason that a page gives for an error (`Response.refuse`), escaped. Beyond: the error page
  /// has no reason.
  public static var reasonSizeMax: Int { 512 }

  /// Octets of the state that a responder keeps for each upload. A decoder of a form in parts has some 600
  /// octets, the longest file name has 257, and a file writer has 32. The state lies in the upload's block,
  /// beside the request's head: a small block has room for both where the head is a browser's.
  public static var uploadStateSizeMax: Int { 1_024 }

  // MARK: Forms in parts

  /// Octets of the boundary of a form in parts (RFC 2046 §5.1.1). Beyond: 400.
  public static var partBoundarySizeMax: Int { 70 }

  /// Octets of the field lines of one part, the empty line included. The longest file name of Linux, a field
  /// name of 64 octets and a long media type fit. Beyond: 413.
  public static var partHeadSizeMax: Int { 512 }

  /// Parts of one form: as many as a request has field lines. Beyond: 413.
  public static var partCountMax: Int { 100 }

  /// Octets of a form in parts that belong to no part: before the first part, behind the last one, and blanks
  /// behind a boundary. They are ignored, and browsers send none. Beyond: 413.
  public static var partMarginSizeMax: Int { 1_024 }

  /// Octets of the name of a file that a client sends: the longest name of Linux. Beyond: refused.
  public static var fileNameSizeMax: Int { 255 }

  /// Octets of an upload that may have been received and not yet decoded: a chunk's line, then a trailer
  /// section, both without their ends. They lie in the upload's block.
  public static var chunkFramingSizeMax: Int { 2 * chunkExtensionSizeMax + 32 }

  /// Octets of all chunk extensions of one content together, and octets of its trailer section. Both are
  /// ignored. Beyond: 413 for extensions, 431 for trailers.
  public static var chunkExtensionSizeMax: Int { 256 }

  /// Octets of the buffer that requests are read into, for all connections together. A request that is
  /// whole is answered from there; of one that is not, a block holds what has come.
  public static var receiveSizeMax: Int { Int(MARTLET_RECEIVE_SIZE) }

  /// Small blocks, and octets of each: unfinished requests, requests that wait, and the rest of short
  /// responses. Beyond: who has been unfinished longest, and for `evictionAgeMilliseconds`, gets 408; of
  /// those a network with many connections goes first. A slow client that is alone on its network keeps
  /// its block as long as another network has two.
  public static var smallBlockCountMax: Int { Int(MARTLET_SMALL_BLOCK_COUNT) }
  public static var smallBlockSize: Int { Int(MARTLET_SMALL_BLOCK_SIZE) }

  /// Large blocks, and octets of each. One is kept for responses.
  public static var largeBlockCountMax: Int { Int(MARTLET_LARGE_BLOCK_COUNT) }
  public static var largeBlockSize: Int { Int(MARTLET_LARGE_BLOCK_SIZE) }

  /// Large blocks that requests hold at a time: heads, forms and uploads that do not fit a small block.
  public static var requestLargeBlockCountMax: Int { max(1, largeBlockCountMax - 1) }

  /// Uploads at a time. An upload holds one block as long as it lasts. A small block is enough where it has
  /// room for state and head, and for `chunkFramingSizeMax` octets where the content is chunked. Other
  /// requests use the same blocks. Beyond: the request that has been unfinished longest gets 408, or the new
  /// upload gets 503.
  public static var uploadCountMax: Int {
    min(connectionCountMax, smallBlockCountMax + requestLargeBlockCountMax)
  }

  // MARK: Responses

  /// Octets of a response: its head, then its content.
  public static var responseSizeMax: Int { Int(MARTLET_RESPONSE_SIZE) }

  /// Octets of a response head: status line, the server's fields, the page's fields.
  public static var responseHeadSizeMax: Int { Int(MARTLET_HEAD_SIZE) }

  /// Octets of a response's content.
  public static var responseContentSizeMax: Int { responseSizeMax - responseHeadSizeMax }

  /// Octets of what ends a chunk, and all chunks (RFC 9112 §7.1): a piece of a long answer leaves them free.
  public static var chunkEndSize: Int { 7 }

  /// Octets of the field lines that a page adds.
  public static var responseFieldsSizeMax: Int { Int(MARTLET_FIELDS_SIZE) }

  // MARK: Connections

  /// Connections at a time. A slot costs `Limits.connectionSlotSize` octets.
  public static var connectionCountMax: Int { Int(MARTLET_CONNECTION_COUNT) }

  /// Descriptors that are no connections: the terminal, the listener, the signals, files that are sent or
  /// written, and newcomers that wait for a slot.
  public static var otherDescriptorCountMax: Int { 32 }

  /// Connections at a time when the system allows that many descriptors.
  public static func connectionCount(descriptors: Int) -> Int {
    max(1, min(connectionCountMax, descriptors - otherDescriptorCountMax))
  }

  /// Accepted connections that wait for a slot, at a time. They are accepted so that a client with few
  /// connections is seen behind a client with many. Beyond: the client with most connections loses one.
  public static var newcomerCountMax: Int { 8 }

  /// Octets of kernel memory that a connection costs at most, as a cgroup counts them. They are the send
  /// buffer, the receive buffer and the socket itself.
  public static var kernelConnectionSizeMax: Int {
    Int(MARTLET_SEND_BUFFER_SIZE) + Int(MARTLET_RECEIVE_BUFFER_SIZE) + Int(MARTLET_SOCKET_SIZE)
  }

  /// Octets of a slot, at most.
  public static var connectionSlotSize: Int { Int(MARTLET_CONNECTION_SIZE) }

  /// Milliseconds from a request's first octet to the end of its head. RFC 9110 §15.5.9: 408.
  public static var headTimeoutMilliseconds: Int64 { 10_000 }

  /// Milliseconds from the end of the head to the end of the content.
  public static var contentTimeoutMilliseconds: Int64 { 20_000 }

  /// Milliseconds that a connection may rest between two requests. Proxies close sooner (nginx: 60 s to a
  /// server, 75 s to a client). The server waits longer, because a request that is sent while its
  /// connection is closed is lost: the proxy answers a POST with 502. When slots are short, resting
  /// connections end sooner (`evictionAgeMilliseconds`).
  public static var idleTimeoutMilliseconds: Int64 { 90_000 }

  /// Seconds that the server tells clients they may rest (`Keep-Alive: timeout`). It is less than
  /// `idleTimeoutMilliseconds` because a request may be on its way.
  public static var keepAliveSeconds: Int { 85 }

  /// Octets a second that an upload must bring on average. Every link that a panel is used over is faster
  /// (GPRS has 2,500).
  public static var uploadRateMin: Int { 1_000 }

  /// Milliseconds that an upload may be behind `uploadRateMin`, because it starts slowly or the link
  /// pauses. Beyond: 408.
  public static var uploadSlackMilliseconds: Int32 { 60_000 }

  /// Milliseconds without progress in sending a response.
  public static var sendTimeoutMilliseconds: Int64 { 10_000 }

  /// Milliseconds that a responder may need for an answer of several turns of the loop. The time includes
  /// hashing a password and waiting for earlier hashes. Beyond: 503.
  public static var workTimeoutMilliseconds: Int64 { 30_000 }

  /// Requests whose answer needs several turns, at a time. Each may hold the state of a password hash, some
  /// 500 octets. Further requests wait.
  public static var workCountMax: Int { Int(MARTLET_WORK_COUNT) }

  /// Requests that wait for one of `workCountMax` places, at a time. The last one waits some twenty seconds
  /// at 300 ms each, or a minute when a throttle slows them. Beyond: 503 with Retry-After.
  public static var workQueueCountMax: Int { workCountMax * 8 }

  /// Milliseconds that a request may wait for such a place. Proxies give up after 60 s as a rule.
  /// Beyond: 503.
  public static var workQueueMilliseconds: Int64 { 58_000 }

  /// Milliseconds between two 100 Continue (RFC 9110 §15.2.1) to a client whose password is being hashed.
  /// They keep the connection open, because proxies close a silent one after 60 s.
  public static var workSignMilliseconds: Int64 { 45_000 }

  /// Microseconds of password hashing in one turn of the loop, for all requests together. Every other
  /// request may have to wait that long.
  public static var workTurnMicroseconds: Int64 { 2_000 }

  /// Octets of earlier responses that the kernel may still hold when a connection's next request is
  /// answered. At that count poll() reports POLLOUT, and the whole next response fits. So a client that does
  /// not read costs its slot and, as a rule, no response buffer.
  public static var unsentSizeMax: Int { Int(MARTLET_UNSENT_SIZE) / 2 - 1 }

  /// Clients that the kernel lets wait for a connection slot, at most; `net.core.somaxconn` may say fewer.
  public static var backlogCount: Int { Int(MARTLET_BACKLOG_COUNT) }

  /// Milliseconds until a slow reader is checked again when poll() reports room and the count of unsent
  /// octets shows none.
  public static var unreadPauseMilliseconds: Int64 { 20 }

  /// Octets of a file in one step, so that no file keeps other connections waiting: a slow memory card
  /// brings them in some 10 ms. Linux reads ahead as much.
  public static var fileStepSizeMax: Int { 131_072 }

  /// Octets of a file that the kernel is asked to read ahead, where the next step is not in memory.
  public static var fileAheadSize: Int { 262_144 }

  /// Milliseconds until it is asked again whether the disk has brought the next step of a file.
  public static var filePauseMilliseconds: Int64 { 2 }

  /// Questions in a row whether the disk has brought the next step of a file: some 4 s. Beyond: the loop waits
  /// for the disk.
  public static var diskAskCountMax: Int32 { 2_000 }

  /// Microseconds of one turn in which files are sent, for all connections together. Beyond: the others'
  /// files are sent in the next turn. A file system that cannot tell what is in memory makes the loop wait.
  public static var fileTurnMicroseconds: Int64 { 5_000 }

  /// Ranges of octets in one response. A browser asks for one; viewers of PDF ask for a few. Beyond: the whole
  /// file is sent.
  public static var rangeCountMax: Int { 8 }

  /// Responses with several ranges that are being sent, at a time. Beyond: the whole file is sent.
  public static var filePartsCountMax: Int { Int(MARTLET_FILE_PARTS_COUNT) }

  /// Descriptors beside the connections that the loop waits for, at a time: the output of programs.
  public static var watchCountMax: Int { Int(MARTLET_WATCH_COUNT) }

  /// Programs that pages have started, at a time (`CommandApplication`). Beyond: 503. A board with 32 MB of RAM has
  /// room for some small programs.
  public static var commandCountMax: Int { Int(MARTLET_COMMAND_COUNT) }

  /// Words of a command, its path included. Beyond: 500.
  public static var commandWordCountMax: Int { Int(MARTLET_COMMAND_WORD_COUNT) }

  /// Octets of all words of a command, with a NUL after each. Beyond: 400, because values are what may be long.
  public static var commandSizeMax: Int { Int(MARTLET_COMMAND_SIZE) }

  /// Milliseconds from SIGTERM to SIGKILL for a command whose visitor has left, or whose time is over.
  public static var commandGraceMilliseconds: Int64 { 2_000 }

  /// Octets of the path of a file below its folder, decoded, its suffix included. Beyond: 404.
  public static var filePathSizeMax: Int { 511 }

  /// Milliseconds after which a connection may lose its slot to a new connection when all slots are in use.
  /// They count while it rests, is in the middle of a request, or reads nothing of its responses. On a board
  /// of eight slots, four hundred clients that never go on are gone in five seconds.
  public static var evictionAgeMilliseconds: Int64 { 50 }

  /// Milliseconds of a crowd: more connections come than there are slots and places to wait. After that time
  /// the network with most connections loses some. A board of 64 slots serves some hundred connections that
  /// come at once in less time, and loses none of them.
  public static var crowdMilliseconds: Int64 { 1_000 }

  /// Milliseconds without a crowd after which the next crowd counts as a new one.
  public static var crowdRestMilliseconds: Int64 { 10_000 }

  /// Milliseconds that the server still reads after a connection's last response. Without that, RST could
  /// destroy the response before the peer reads it (RFC 9112 §9.6).
  public static var lingerTimeoutMilliseconds: Int64 { 2_000 }

  /// TLS connections at a time, of a program that has TLS. Each has a place with memory of its own
  /// (`encryptedConnectionSize`). Beyond: a TLS connection that rests makes room, or the new one waits.
  public static var encryptedConnectionCountMax: Int { Int(MARTLET_TLS_COUNT) }

  /// Octets of memory that a TLS connection has.
  public static var encryptedConnectionSize: Int { Int(MARTLET_TLS_ARENA_SIZE) }

  /// Octets of a chain of certificates in DER. Beyond: the chain is refused.
  public static var certificateChainSizeMax: Int { Int(MARTLET_TLS_CHAIN_SIZE) }

  /// Octets of content in a TLS record that goes out. A slow reader costs one record.
  public static var recordSizeMax: Int { Int(MARTLET_TLS_RECORD_SIZE) }

  /// Milliseconds from the accepted connection to the end of its handshake, where a program has TLS. A handshake
  /// takes two round trips and 0.1 s of the slowest board.
  public static var handshakeTimeoutMilliseconds: Int64 { 10_000 }

  /// Milliseconds after which a handshake, or a connection that rests, may lose its place to any TLS connection that
  /// waits for one. Where its network has more than its share, it loses the place at once.
  public static var handshakeAgeMilliseconds: Int64 { 2_000 }

  /// Milliseconds after which it is looked again for a place for a TLS connection that waits.
  public static var placePauseMilliseconds: Int { 10 }

  /// Milliseconds that a third certificate waits for the connections that use the first one. Then these are ended:
  /// somebody may have copied the key of the one that is in use.
  public static var certificateWaitMilliseconds: Int64 { 30_000 }

  /// Milliseconds that a stop waits for responses under way.
  public static var stopTimeoutMilliseconds: Int64 { 5_000 }

  // MARK: Sessions and logins

  /// Octets of an encoded `next`: the page that a visitor asked for before the login. A longer `next` is
  /// dropped, and the login leads to the first page.
  public static var nextSizeMax: Int { 3_072 }

  /// Octets of the path below which a proxy serves a program.
  public static var prefixSizeMax: Int { Int(MARTLET_PREFIX_SIZE) }

  /// Octets of a session's claims. Signed and encoded they are at most 2,812 octets, below the 4,096
  /// that a browser keeps of a cookie.
  public static var sessionSizeMax: Int { Int(MARTLET_SESSION_SIZE) }

  /// Octets of a token: the longest cookie value that a browser keeps.
  public static var tokenSizeMax: Int { 4_096 }

  /// Session tokens that are remembered after they have been verified: about one for each visitor at a
  /// time. Every other token is verified at each request.
  public static var rememberedTokenCountMax: Int { Int(MARTLET_TOKEN_COUNT) }

  /// Octets of a user identifier.
  public static var userIDSizeMax: Int { 64 }

  /// Octets of a password: more than any passphrase has. A password of more than 64 octets is hashed by
  /// SHA-256 first, and 1,024 octets need no slices for that. A letter beyond English has two to four octets.
  public static var passwordSizeMax: Int { 1_024 }

  /// Octets of the decoded credentials of the Basic scheme (RFC 7617): the longest user identifier, a
  /// colon and the longest password. Beyond: not logged in.
  public static var credentialsSizeMax: Int { userIDSizeMax + 1 + passwordSizeMax }

  /// Days that a login may be remembered: browsers keep no cookie longer (RFC 6265bis §5.5).
  public static var rememberDaysMax: Int { 400 }

  /// Prefixes of trusted proxies: IPv4 and IPv6, each for a proxy and for its stand-in.
  public static var trustedProxyCountMax: Int { 4 }

  /// Client addresses whose failed logins are remembered, 16 octets each: more than a household or a small
  /// office has. An attacker with fewer addresses is slowed at each of them.
  public static var failedAddressCountMax: Int { 64 }

  /// Pairs of a name and an address whose failed logins are remembered, 16 octets each.
  public static var failedLoginCountMax: Int { 64 }

  /// Names whose failed logins from any address are remembered, 16 octets each: twice the accounts of a
  /// panel.
  public static var failedNameCountMax: Int { 16 }

  /// Octets of a text from outside in a log line. A longer text is cut.
  public static var logTextSizeMax: Int { Int(MARTLET_LOG_TEXT_SIZE) }

  /// Lines of one event that are written to the log in a second. Further lines are counted.
  public static var logRateMax: Int { Int(MARTLET_LOG_RATE) }

  /// Networks (IPv4 /24, IPv6 /56) whose failed logins are remembered, 16 octets each. A site has one.
  public static var failedNearNetworkCountMax: Int { 32 }

  /// Networks (IPv6 /48) whose failed logins are remembered, 16 octets each.
  public static var failedFarNetworkCountMax: Int { 16 }

  /// Levels of nested JSON. A session is flat; an application may store small nested values in a session.
  public static var jsonDepthMax: Int { 32 }

  /// Checks the relations between the limits. Run once at start and by a test.
  public static func checkRelations() {
    invariant(
      largeBlockSize >= requestHeadSizeMax + requestContentSizeMax + chunkFramingSizeMax,
      "a request of the largest head and content, and a line between chunks, fit a large block")
    invariant(receiveSizeMax == largeBlockSize, "what has been received fits a large block")
    invariant(
      uploadStateSizeMax + requestHeadSizeMax + chunkFramingSizeMax + 256 <= largeBlockSize,
      "an upload's state, its head and what is not decoded fit a large block")
    invariant(chunkFramingSizeMax < smallBlockSize, "behind what is not decoded there is room")
    invariant(
      smallBlockSize % 16 == 0 && largeBlockSize % 16 == 0, "each block begins at a multiple of 16")
    invariant(responseSizeMax <= largeBlockSize, "a response fits a large block")
    invariant(requestTargetSizeMax < requestHeadSizeMax, "a target fits a head")
    invariant(receiveSizeMax <= 0xFFFF, "a ByteRange reaches all of a request")
    invariant(responseSizeMax <= 0xFFFF, "an offset reaches all of a response")
    invariant(
      responseSizeMax <= Int(MARTLET_UNSENT_SIZE),
      "the kernel takes a whole response")
    invariant(
      (unsentSizeMax + responseSizeMax) * 16 / 5 <= Int(MARTLET_SEND_BUFFER_SIZE),
      "a response fits the send buffer at any segment size")
    invariant(
      receiveSizeMax <= Int(MARTLET_RECEIVE_BUFFER_SIZE) / 2,
      "a request fits the window that the kernel offers")
    invariant(
      Int64(keepAliveSeconds) * 1_000 < idleTimeoutMilliseconds,
      "clients give a connection up before the server does")
    invariant(
      connectionCountMax * (connectionSlotSize + 8) <= 160 * 1_024,
      "a thousand connections cost less than five at other servers")
    invariant(
      responseHeadSizeMax >= responseFieldsSizeMax + 512,
      "the server's own fields and the size of a chunk fit beside the page's fields")
    // 36 octets of header, two full stops, 43 of signature, and the cookie's name and attributes.
    invariant(
      Base64URL.encodedCount(sessionSizeMax) + 36 + 2 + 43 <= tokenSizeMax,
      "a signed session fits a token")
    invariant(
      nextSizeMax + Base64URL.encodedCount(sessionSizeMax) + 81 + 1_500 <= responseFieldsSizeMax,
      "a location, a session and a remember cookie fit the page's fields")
    invariant(
      credentialsSizeMax == CredentialsBuffer.capacity,
      "the longest name and the longest password fit their buffer")
    invariant(
      partBoundarySizeMax + 5 == PartDelimiter.count, "the longest boundary fits its delimiter")
    invariant(
      requestContentSizeMax == Int(MARTLET_FORM_SIZE), "the fields of a form have as much room as a form")
    invariant(partHeadSizeMax == PartHead.count, "the field lines of a part have their memory")
    invariant(
      pathParameterCountMax == PathParameters<UInt8>.count,
      "there is an entry for each parameter of a path")
    invariant(rangeCountMax == RangeTable<UInt8>.count, "there is an entry for each range")
    invariant(filePartsCountMax <= 127, "the number of a response with several ranges is an Int8")
    invariant(jsonDepthMax <= 32, "a level is one bit of a UInt32")
  }

  /// Octets of a JSON text that a page reads in place: a `ByteRange` reaches no further. Beyond: refused.
  public static var jsonSizeMax: Int { 0xFFFF }

  /// Decimals of a number: digits behind its point. 10 to the power of 18 is the largest in an Int64.
  public static var decimalCountMax: Int { 18 }
}
