// The form of the alerts → rules that are stored, and a way back to the history. Nothing changes where one number
// is wrong; the form then shows what was typed. Below it stands what became of the last alert that was sent.
//
// The address is a form of its own, for a fresh login, because the device then sends requests to where a browser may
// not reach. Of an answer the status is shown and nothing else.

import Martlet

extension Panel {
  /// Shows the form, or stores what was typed.
  mutating func alertsPage(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    guard request.method == .post else {
      deliver()
      // A host in the same network has answered soon.
      if webhook.isTesting, Sampler.now - webhook.beganAt < 1_500 {
        return response.later(inMilliseconds: 40)
      }
      return alertsForm(request, response, nil)
    }
    if request.form.has("test") {
      if !alerts.hook.isEmpty { webhook.addTest() }
      deliver()
      return response.redirect(to: .alerts, saying: .testSent)
    }
    var changed = alerts
    for i in 0..<Alerts.count {
      let (above, minutes) = Self.fields(i)
      let number = Self.number(Field.start(of: request.form[above.name]).span, atMost: Alerts.numberMax(i))
      guard let number else { return alertsForm(request, response, Problem(.thresholdWrong, at: above)) }
      let time = Self.number(Field.start(of: request.form[minutes.name]).span, atMost: AlertRule.minutesMax)
      guard let time, time > 0 || number == 0 else {
        return alertsForm(request, response, Problem(.minutesWrong, at: minutes))
      }
      changed.set(
        AlertRule(threshold: number * Alerts.scale(i), minutes: time > 0 ? time : AlertRule().minutes), at: i)
    }
    return store(changed, "alerts_changed", .alertsStored, request, response)
  }

  /// Shows the form of the address, or stores what was typed.
  mutating func webhookPage(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>
  ) -> Answer {
    // What is longer is refused, and its start is shown again.
    var typed = Text<256>()
    guard request.method == .post else {
      typed.append(alerts.hook.text.span)
      return webhookForm(request, response, typed, nil)
    }
    if let value = request.form[Field.webhook.name] {
      var decoder = value.decoder
      while let octet = decoder.next(), typed.append(octet) {}
    }
    let octets = typed.span.extracting(typed.span.trimmed(0..<typed.count))
    var changed = alerts
    do throws(HookAddress.Refusal) {
      changed.hook = octets.count == 0 ? HookAddress() : try HookAddress(octets)
    } catch {
      let kind: Problem.Kind = error == .https ? .webhookHTTPS : .webhookWrong
      return webhookForm(request, response, typed, Problem(kind, at: .webhook))
    }
    return store(
      changed, "webhook_changed", changed.hook.isEmpty ? .webhookRemoved : .webhookStored, request, response)
  }

  /// Stores rules and address, and goes to the page of alerts.
  @inline(never)
  private mutating func store(
    _ changed: Alerts, _ event: StaticString, _ notice: Notice, _ request: borrowing Request<Panel>,
    _ response: consuming Response<Panel>
  ) -> Answer {
    do throws(SystemError) {
      if let damage = alerts.damage { throw damage }
      let stored = try changed.store(in: files.directory, after: alerts)
      if case .unconfirmed(let error) = stored { StorageTrouble.unconfirmed(error).log() }
    } catch {
      Log.failed("alerts_not_stored", error)
      return response.refuse(
        .internalServerError,
        """
        The alerts could not be written: \(error.text). Nothing has changed. Check the file “alerts” of the data \
        directory, its disk and permissions, then try again.
        """)
    }
    let isNew = changed.hook != alerts.hook
    alerts = changed
    if isNew { webhook.addressChanged(isEmpty: changed.hook.isEmpty) }
    if let user = request.user {
      Log.changed(event, user.name, request.client(for: request.user, trusting: proxies))
    }
    return response.redirect(to: .alerts, saying: notice)
  }

  /// The fields of a rule.
  private static func fields(_ index: Int) -> (above: Field, minutes: Field) {
    switch index {
    case 0: (.processors, .processorsMinutes)
    case 1: (.load, .loadMinutes)
    case 2: (.memory, .memoryMinutes)
    default: (.temperature, .temperatureMinutes)
    }
  }

  /// The number that was typed; 0 for nothing. `nil` for what is no number, or is too large.
  static func number(_ typed: Span<UInt8>, atMost numberMax: Int64) -> Int64? {
    let text = typed.extracting(typed.trimmed(0..<typed.count))
    if text.count == 0 { return 0 }
    guard let number = text.decimal(), number <= UInt64(numberMax) else { return nil }
    return Int64(number)
  }

  @inline(never)
  private mutating func alertsForm(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>, _ problem: Problem?
  ) -> Answer {
    var form = Form(problem)
    var body = response.form(
      .alerts, request, problem,
      lead: """
        The overview says so when a value has been above your number for so many minutes. Without a number \
        there is no alert.
        """)
    if let damage = alerts.damage {
      body.write(
        """
        \(begin: .problem)The file of alerts cannot be used: \(damage.text). So there are none, and none can be stored. \
        Put “alerts.old” in its place, or remove it, and start martlet-panel again.\(end: .problem)
        """)
    }
    if !sampler.isOn { body.write(.note, "No alert is raised: the panel was started with --history off.") }
    body.begin(form)
    let labels: InlineArray<4, StaticString> = ["Processors, %", "Load", "Memory, %", "Temperature, °C"]
    let times: InlineArray<4, StaticString> = [
      "Processors, min", "Load, min", "Memory, min", "Temperature, min",
    ]
    for i in 0..<Alerts.count {
      let (above, minutes) = Self.fields(i)
      body.write("<div class=\"pair\"><div>")
      let number = alerts.rules[i].threshold / Alerts.scale(i)
      body.writeNumber(above, labels[i], request, problem, number, in: &form)
      body.write("</div><div>")
      body.writeNumber(minutes, times[i], request, problem, alerts.rules[i].minutes, in: &form)
      body.write("</div></div>\n")
    }
    body.endForm("Store alerts")
    body.write("\(begin: .narrowCard)\(heading: "Webhook")")
    if alerts.hook.isEmpty {
      body.write(.none, "Alerts are shown here only. They can be sent to another device as well.")
    } else {
      body.writeWebhook(alerts.hook, webhook)
    }
    let change: StaticString = alerts.hook.isEmpty ? "Name an address" : "Change the address"
    body.write(
      "\(begin: .buttons)\(button: change, path: Panel.row(of: .webhook).path)\(end: .buttons)\(end: .card)")
    return body.finish()
  }

  @inline(never)
  private mutating func webhookForm(
    _ request: borrowing Request<Panel>, _ response: consuming Response<Panel>, _ typed: Text<256>,
    _ problem: Problem?
  ) -> Answer {
    var form = Form(problem)
    var body = response.form(
      .webhook, request, problem,
      lead:
        "When an alert begins and when it ends, this device sends it there: a POST with a line of JSON.")
    body.begin(form)
    body.write(.webhook, "Address", typed: typed.span, in: &form)
    body.endForm("Store address")
    return body.finish()
  }
}

extension Body where Site == Panel {
  /// Writes a field with what was typed where something is wrong with the form, or else with a number.
  @inline(never)
  @_lifetime(self: copy self)
  fileprivate mutating func writeNumber(
    _ field: Field, _ label: StaticString, _ request: borrowing Request<Panel>, _ problem: Problem?,
    _ number: Int64, in form: inout Form
  ) {
    var text: Text<48>
    if problem != nil {
      text = Field.start(of: request.form[field.name])
    } else {
      text = number > 0 ? Text(cutting: Readable.hundredths(UInt64(number) * 100).span) : Text()
    }
    write(field, label, typed: text.span, in: &form)
  }

  /// Says where alerts are sent to, and what became of the last one. The path is not said: it may be a secret.
  @inline(never)
  @_lifetime(self: copy self)
  fileprivate mutating func writeWebhook(_ address: HookAddress, _ webhook: Webhook) {
    address.withHost { write("<p>Alerts are sent to <b>\($0)</b> when they begin and when they end.</p>\n") }
    let result = webhook.result
    if result != .none {
      write("\(begin: result.isDelivered ? .note : .fault)Last delivery")
      if webhook.resultTime > 0 {
        let date = HTTPDate(webhook.resultTime)
        write(", \(date.span.extracting(5..<25)) UTC")
      }
      write(": ")
      if result.number > 0 {
        write("answered \(UInt64(result.number))")
      } else {
        write("\(markup: result.text)")
      }
      write("\(end: .note)")
    } else {
      write(.note, webhook.isTesting ? "A test is under way." : "Nothing has been sent yet.")
    }
    if webhook.count > 0 {
      let seconds = max(0, webhook.due - Sampler.now) / 1_000
      let pause = Readable.duration(seconds: UInt64(seconds))
      write("\(begin: .note)\(UInt64(webhook.count)) waiting; next try in \(pause).\(end: .note)")
    }
    write(
      """
      \(begin: .form)<input type="hidden" name="test" value="1" hidden>\
      \(begin: .buttons)<button class="quiet" type="submit">Send a test</button>\(end: .buttons)\(end: .form)
      """)
  }

  /// Says what the alerts tell, where there are any.
  @_lifetime(self: copy self)
  mutating func writeAlerts(_ alerts: Alerts) {
    guard alerts.hasRules else { return }
    var buffer = FixedBuffer<320>()
    var writer = Writer(buffer.storageSpan)
    alerts.write(to: &writer)
    let text = writer.span
    write("<p class=\"problem live\" data-live=\"alerts\" role=\"status\">\(text)</p>\n")
  }
}
