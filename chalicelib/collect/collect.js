(function(){
  var d=document.querySelector("[data-config]");
  if(d&&window.wx)wx.config({appId:d.dataset.config,timestamp:+d.dataset.timestamp,nonceStr:d.dataset.nonce,signature:d.dataset.signature,jsApiList:["requestMerchantTransfer"]})
})();
document.querySelectorAll("[data-package]").forEach(function(b){
  var p=b.parentNode.querySelector(".said");
  function say(zh,en){p.textContent=document.documentElement.lang==="en"?en:zh;b.disabled=false}
  function open(){
    WeixinJSBridge.invoke("requestMerchantTransfer",{mchId:b.dataset.mch,appId:b.dataset.app,package:b.dataset.package},function(r){
      var m=r&&r.err_msg||"";
      if(/:ok$/.test(m)){say("领取成功，到账后会显示在下方","Done. It will show below once it has arrived.");setTimeout(function(){location.reload()},2500)}
      else if(/:cancel$/.test(m))say("尚未领取，24 小时内可再次点击领取","Not collected yet. You can tap again within 24 hours.");
      else say("收款页未能打开，请将微信更新到最新版本后重试","WeChat couldn't open the payment page. Please update WeChat and try again.")
    })
  }
  b.addEventListener("click",function(){
    if(b.dataset.elsewhere){location.href=b.dataset.elsewhere;return}
    b.disabled=true;
    if(typeof WeixinJSBridge!="undefined"){open();return}
    var over=false;
    document.addEventListener("WeixinJSBridgeReady",function(){if(!over){over=true;open()}});
    setTimeout(function(){if(!over){over=true;say("请在微信中打开本页领取","Please open this page in WeChat")}},1500)
  })
})
