document.querySelectorAll(".copy").forEach(function(b){
  var t=document.getElementById(b.dataset.of);
  b.hidden=false;
  function pick(){var s=getSelection(),r=document.createRange();r.selectNodeContents(t);s.removeAllRanges();s.addRange(r)}
  function say(w){var o=b.dataset.say||(b.dataset.say=b.textContent);b.textContent=w;setTimeout(function(){b.textContent=o},1500)}
  function other(){pick();var ok=false;try{ok=document.execCommand("copy")}catch(e){}say(ok?"已复制 ✓":"请长按复制")}
  b.addEventListener("click",function(){
    if(navigator.clipboard&&navigator.clipboard.writeText)navigator.clipboard.writeText(t.textContent).then(function(){say("已复制 ✓")},other);
    else other()
  })
})
