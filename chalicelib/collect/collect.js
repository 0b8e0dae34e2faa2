(function(){
  var d=document.querySelector("[data-config]");
  if(d&&window.wx)wx.config({appId:d.dataset.config,timestamp:+d.dataset.timestamp,nonceStr:d.dataset.nonce,signature:d.dataset.signature,jsApiList:["requestMerchantTransfer"]})
})();
document.querySelectorAll("[data-package]").forEach(function(b){
  var p=b.parentNode.querySelector(".said");
  function say(zh,en){p.textContent=zh;var s=document.createElement("small");s.lang="en";s.textContent=en;p.appendChild(s);b.disabled=false}
  function open(){
    WeixinJSBridge.invoke("requestMerchantTransfer",{mchId:b.dataset.mch,appId:b.dataset.app,package:b.dataset.package},function(r){
      var m=r&&r.err_msg||"";
      if(/:ok$/.test(m)){say("到账后会显示在下面","It shows below once it has arrived");setTimeout(function(){location.reload()},2500)}
      else if(/:cancel$/.test(m))say("还没有领取，24 小时内都可以再点","Not taken yet: you can tap again within 24 hours");
      else say("没有打开收款页：请更新微信到最新版本后再试","WeChat did not open it: please update WeChat and try again")
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
