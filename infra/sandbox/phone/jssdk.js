// A stand-in for WeCom's JS-SDK: what the client does natively, the page around this one does.
(function () {
  var waiting = {}, last = 0, ready = [], failed = [], isReady = null;
  addEventListener("message", function (event) {
    var found = event.source === parent && event.data && waiting[event.data.call];
    if (!found) return;
    delete waiting[event.data.call];
    found(event.data.answer);
  });
  function ask(name, fields, then) {
    last += 1;
    waiting[last] = then;
    parent.postMessage({ wecom: name, call: last, fields: fields, url: location.href.split("#")[0] }, "*");
  }
  function settle(ok) { isReady = ok; (ok ? ready : failed).forEach(function (run) { run(ok ? undefined : { errMsg: "config:invalid signature" }); }); }
  window.wx = {
    config: function (given) { ask("config", { nonceStr: given.nonceStr, timestamp: given.timestamp, signature: given.signature }, function (answer) { settle(answer.errcode === 0); }); },
    ready: function (run) { if (isReady) run(); else ready.push(run); },
    error: function (run) { if (isReady === false) run({ errMsg: "config:invalid signature" }); else failed.push(run); },
    agentConfig: function (given) {
      ask("agentConfig", { nonceStr: given.nonceStr, timestamp: given.timestamp, signature: given.signature, agent: true }, function (answer) {
        if (answer.errcode === 0) { if (given.success) given.success({ errMsg: "agentConfig:ok" }); } else if (given.fail) given.fail({ errMsg: "agentConfig:fail" });
      });
    },
    invoke: function (name, fields, then) { ask(name, fields || {}, then || function () {}); }
  };
})();
