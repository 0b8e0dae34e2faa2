(function () {
  "use strict";
  var box = document.getElementById("sidebar"), folder = box.dataset.folder;
  var en = document.documentElement.lang === "en";
  function w(zh, other) { return en ? other : zh; }
  var EVENTS = {
    customer_added: ["添加了{who}", "Added {who}"], customer_imported: ["首次导入", "First import"], group_member_imported: ["已在群内", "Was in a group"], customer_lost: ["与{who}解除好友", "No friend of {who} any more"],
    follow_edited: ["{who}修改了资料", "{who} edited them"], remark_changed: ["修改了备注名", "Remark changed"], tags_changed: ["标签有变化", "Tags changed"],
    joined_group: ["加入客户群", "Joined a group"], left_group: ["退出客户群", "Left a group"], welcome_sent: ["收到欢迎语", "Got the welcome"], welcome_missed: ["欢迎语没有发出", "The welcome was not sent"], welcome_unknown: ["欢迎语可能已送达", "The welcome may have arrived"],
    guide_notified: ["已提醒员工打招呼", "The guide was asked to say hello"], coupon_given: ["领到优惠券", "Got a coupon"], touch_sent: ["收到 SOP 消息", "Got an SOP message"], touch_failed: ["SOP 消息发送失败", "An SOP message failed"], prospect_matched: ["手机号名单中的客户", "From a phone list"], ad_converted: ["广告转化", "An ad's conversion"],
    order_created: ["下单", "Ordered"], order_paid: ["付款", "Paid"], order_shipped: ["发货", "Shipped"], order_completed: ["交易完成", "Completed"], order_refunded: ["退款", "Refunded"], order_corrected: ["金额更正", "Amount corrected"], order_closed: ["订单关闭", "Order closed"]
  };
  var ORDERS = { created: ["待付款", "Unpaid"], paid: ["已付款", "Paid"], shipped: ["已发货", "Shipped"], completed: ["已完成", "Completed"], refunded: ["已退款", "Refunded"], closed: ["已关闭", "Closed"] };
  var TOUCHES = { scheduled: ["待发送", "Scheduled"], handed_over: ["等您确认发送", "Waits for you to send"], sent: ["已发送", "Sent"], skipped: ["已跳过", "Skipped"], failed: ["发送失败", "Failed"] };
  var BONDS = { active: ["好友", "friend"], half: ["待通过", "pending"], lost: ["已流失", "lost"] };
  function of(table, key) { var found = table[key]; return found ? w(found[0], found[1]) : w("其他", "Other"); }
  function money(fen) { return "¥" + (fen / 100).toFixed(2).replace(/\B(?=(\d{3})+(?!\d))/g, ","); }
  function when(iso) {
    return new Intl.DateTimeFormat(en ? "en-GB" : "zh-CN", { timeZone: "Asia/Shanghai", month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false }).format(new Date(iso));
  }

  // Elements with texts as texts: a customer's name is whatever they typed.
  function el(kind, more) {
    var made = document.createElement(kind), rest = [].slice.call(arguments, 2);
    Object.keys(more || {}).forEach(function (name) { if (name === "on") Object.keys(more.on).forEach(function (type) { made.addEventListener(type, more.on[type]); }); else if (name === "class") made.className = more[name]; else made.setAttribute(name, more[name]); });
    rest.forEach(function (part) { if (part !== null && part !== undefined && part !== "") made.append(part); });
    return made;
  }
  function section(title) { var made = el("section", { class: "box" }, el("h2", {}, title)); [].slice.call(arguments, 1).forEach(function (part) { if (part) made.append(part); }); return made; }
  function say(text, bad) {
    var old = document.querySelector(".said");
    if (old) old.remove();
    var said = el("p", { class: bad ? "said bad" : "said", role: bad ? "alert" : "status" }, text);
    document.body.append(said);
    setTimeout(function () { said.remove(); }, 4000);
  }
  function notice(title, text, again) {
    box.textContent = "";
    box.append(el("section", { class: "box" }, el("h1", {}, title), el("p", { class: "none" }, text), again ? el("p", { class: "line" }, el("button", { class: "act", on: { click: function () { location.reload(); } } }, w("重试", "Try again"))) : ""));
  }

  // What is typed outlives the page: the client throws it away with each change of chat.
  function keep(name, value) { try { if (value) localStorage.setItem(name, value); else localStorage.removeItem(name); } catch (error) { /* then for this page alone */ } }
  function kept(name) { try { return localStorage.getItem(name) || ""; } catch (error) { return ""; } }
  function recents(name, add) {
    var list = [];
    try { list = JSON.parse(kept(name) || "[]"); } catch (error) { list = []; }
    if (add) { list = [add].concat(list.filter(function (one) { return one !== add; })).slice(0, 5); keep(name, JSON.stringify(list)); }
    return list;
  }

  var settings = null;
  function ask(method, path, body) {
    var headers = { "Accept-Language": en ? "en" : "zh" };
    if (body) headers["Content-Type"] = "application/json";
    if (method !== "GET" && settings && settings.csrf_token) headers["X-CSRF-Token"] = settings.csrf_token;
    return fetch(folder + path, { method: method, headers: headers, credentials: "same-origin", body: body ? JSON.stringify(body) : undefined }).then(function (answer) {
      if (answer.status === 401) { location.reload(); return new Promise(function () {}); }
      return answer.json().then(function (found) {
        if (answer.ok) return found;
        var error = new Error(found.errors && found.errors.length ? found.errors[0].message : found.detail || found.title);
        error.status = answer.status;
        throw error;
      });
    }, function () { throw new Error(w("网络连接失败，请稍后再试", "No connection")); });
  }

  var id = null;
  function show(customer) {
    box.textContent = "";
    var mine = customer.follows.find(function (follow) { return follow.is_mine; });
    var letter = el("span", { class: "face", "aria-hidden": "true" }, Array.from(customer.name || "?")[0]), face = letter;
    if (customer.avatar) face = el("img", { src: customer.avatar, alt: "", on: { error: function () { face.replaceWith(letter); } } });
    box.append(el("section", { class: "box who" }, face, el("div", {}, el("h1", {}, customer.name || w("未命名客户", "No name")), el("p", {}, customer.channel ? w("来自 ", "From ") + channelOf(customer.channel_name) : w("来源未知", "Source unknown")))));
    if (customer.tasks) box.append(el("p", { class: "box" }, el("a", { href: folder + "/h5/tasks" }, w("今天还有 " + customer.tasks + " 位客户待添加", customer.tasks + " people to add today"))));
    box.append(tagsOf(customer));
    if (customer.can_change) box.append(remarkOf(mine ? mine.remark : ""));
    box.append(texts(customer));
    if (customer.sops.length) box.append(section(w("SOP 触达", "SOPs"), list(customer.sops, function (sop) { return el("li", {}, el("b", {}, sop.name), el("span", { class: "side" }, of(TOUCHES, sop.status), el("br"), when(sop.at))); })));
    if (customer.orders) box.append(section(w("订单", "Orders"), customer.orders.length ? list(customer.orders, orderLine) : el("p", { class: "none" }, w("还没有订单", "No orders yet"))));
    box.append(section(w("跟进员工", "Guides"), list(customer.follows, function (follow) { return el("li", {}, el("b", {}, follow.staff_name, follow.remark ? el("span", { class: "more" }, follow.remark) : ""), el("span", { class: "side" }, of(BONDS, follow.status))); })));
    box.append(section(w("最近动态", "Lately"), customer.events.length ? list(customer.events, eventLine) : el("p", { class: "none" }, w("还没有动态", "Nothing yet"))));
  }
  function channelOf(name) { return name === "other" ? w("其他渠道", "another channel") : name === "unknown" ? w("未标渠道", "no channel") : name || ""; }
  function list(rows, line) { var made = el("ul", { class: "list" }); rows.forEach(function (row) { made.append(line(row)); }); return made; }
  function orderLine(order) {
    var more = [order.order_id];
    if (order.refunded_fen) more.push(w("已退 ", "refunded ") + money(order.refunded_fen));
    if (order.commission_fen !== null) more.push(w("佣金 ", "commission ") + money(order.commission_fen));
    return el("li", {}, el("b", {}, money(order.paid_fen), el("span", { class: "more" }, more.join(" · "))), el("span", { class: "side" }, of(ORDERS, order.status), el("br"), when(order.ordered_at)));
  }
  function eventLine(event) {
    var text = of(EVENTS, event.type).replace("{who}", event.staff_name || w("同事", "a colleague"));
    var more = event.type === "tags_changed" ? event.data.added.map(function (tag) { return "+ " + tag; }).concat(event.data.removed.map(function (tag) { return "− " + tag; })).join("  ") : event.data.order_id || channelOf(event.channel_name);
    return el("li", {}, el("b", {}, text, more ? el("span", { class: "more" }, more) : ""), el("time", { datetime: event.at }, when(event.at)));
  }

  function tagsOf(customer) {
    var chips = el("div", { class: "chips" });
    customer.tags.forEach(function (tag) {
      chips.append(el("span", { class: "chip" }, tag, customer.can_change ? el("button", { type: "button", "aria-label": w("去掉标签 ", "Remove ") + tag, on: { click: function () { retag({ remove: [tag] }); } } }, "×") : ""));
    });
    if (!customer.tags.length) chips.append(el("span", { class: "none" }, w("还没有标签", "No tags yet")));
    if (!customer.can_change) return section(w("标签", "Tags"), chips);
    var known = el("datalist", { id: "known" });
    recents("mr.tags").forEach(function (tag) { known.append(el("option", { value: tag })); });
    var input = el("input", { "aria-label": w("新标签", "New tag"), placeholder: w("标签组/标签", "group/tag"), list: "known", maxlength: "61", autocomplete: "off" });
    input.value = kept("mr.tag." + id);
    input.addEventListener("input", function () { keep("mr.tag." + id, input.value); });
    var form = el("form", { class: "line" }, input, el("button", { class: "act" }, w("添加", "Add")), known);
    form.addEventListener("submit", function (event) { event.preventDefault(); if (input.value.trim()) retag({ add: [input.value.trim()] }); });
    return section(w("标签", "Tags"), chips, form);
  }
  function retag(change) {
    ask("POST", "/api/customers/" + encodeURIComponent(id) + "/tags", change).then(function () {
      if (change.add) { recents("mr.tags", change.add[0]); keep("mr.tag." + id, ""); }
      say(w("已保存", "Saved"));
      return load();
    }).catch(failed);
  }

  function remarkOf(remark) {
    var draft = kept("mr.remark." + id);
    var input = el("input", { "aria-label": w("备注名", "Remark"), maxlength: "20", autocomplete: "off" });
    input.value = draft || remark;
    input.addEventListener("input", function () { keep("mr.remark." + id, input.value === remark ? "" : input.value); });
    var form = el("form", { class: "line" }, input, el("button", { class: "act" }, w("保存", "Save")));
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      ask("PATCH", "/api/customers/" + encodeURIComponent(id), { remark: input.value.trim() }).then(function () {
        keep("mr.remark." + id, "");
        say(w("已保存，正在同步到企业微信", "Saved; WeCom is being told"));
        return load();
      }).catch(failed);
    });
    return section(w("备注名", "Remark"), form);
  }

  function texts(customer) {
    var hello = w((customer.name || "您") + "，您好！我是" + settings.staff_name + "，有什么可以帮您？", "Hello " + customer.name + ", I am " + settings.staff_name + ". How can I help?");
    var made = section(w("一键发送", "Send in one tap"));
    [hello].concat(recents("mr.texts").filter(function (text) { return text !== hello; })).slice(0, 4).forEach(function (text) {
      made.append(el("div", { class: "quick" }, el("span", {}, text), el("button", { type: "button", class: "act plain", "aria-label": w("发送：", "Send: ") + text, on: { click: function () { send(text); } } }, w("发送", "Send"))));
    });
    var area = el("textarea", { "aria-label": w("要发的话", "What to say"), placeholder: w("输入要发的话", "Type a message"), maxlength: "1000" });
    area.value = kept("mr.text." + id);
    area.addEventListener("input", function () { keep("mr.text." + id, area.value); });
    var form = el("form", { class: "line" }, area, el("button", { class: "act" }, w("发送", "Send")));
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      var text = area.value.trim();
      if (text) send(text, function () { recents("mr.texts", text); keep("mr.text." + id, ""); load(); });
    });
    made.append(form);
    return made;
  }
  function send(text, done) {
    wx.invoke("sendChatMessage", { msgtype: "text", enterChat: false, text: { content: text } }, function (answer) {
      if (answer.err_msg !== "sendChatMessage:ok") { say(/cancel/.test(answer.err_msg) ? w("已取消", "Cancelled") : w("没有发出，请在聊天窗口发送", "Not sent: use the chat"), true); return; }
      say(w("已发送", "Sent"));
      if (done) done();
    });
  }

  function failed(error) { say(error.message, true); }
  function load() { return ask("GET", "/api/sidebar/customers/" + encodeURIComponent(id)).then(show); }
  function unknown(error) {
    if (error.status === 404) notice(w("这位客户还没有资料", "Nothing is known of this customer"), w("可能刚刚添加，或不是您的客户。", "They may have just come, or are not yours."), true);
    else notice(w("没能打开", "That didn't work"), error.message, true);
  }
  function refused() { notice(w("没有连上企业微信", "WeCom did not answer"), w("请关闭侧边栏后重新打开；仍不行时请管理员检查可信域名。", "Close the sidebar and open it again. If that doesn't help, an administrator checks the trusted domain."), true); }

  function start() {
    if (!window.wx) { refused(); return; }
    ask("GET", "/api/sidebar/config?url=" + encodeURIComponent(location.href.split("#")[0])).then(function (config) {
      settings = config;
      var names = ["getContext", "getCurExternalContact", "sendChatMessage"];
      var common = { timestamp: config.timestamp, nonceStr: config.nonce, jsApiList: names };
      wx.config(Object.assign({ beta: true, debug: false, appId: config.corp_id, signature: config.signature }, common));
      wx.error(refused);
      wx.ready(function () {
        wx.agentConfig(Object.assign({ corpid: config.corp_id, agentid: config.agent_id, signature: config.agent_signature, fail: refused, success: function () {
          wx.invoke("getCurExternalContact", {}, function (answer) {
            if (answer.err_msg !== "getCurExternalContact:ok") { notice(w("请在与客户的聊天中打开", "Open it in a customer's chat"), w("这里没有客户。", "There is no customer here.")); return; }
            id = answer.userId;
            load().catch(unknown);
          });
        } }, common));
      });
    }).catch(unknown);
  }
  start();
})();
