var en=document.documentElement.lang==="en",copied=en?"Copied ✓":"已复制 ✓";
document.querySelectorAll(".copy").forEach(function(b){
  var t=document.getElementById(b.dataset.of),w=b.innerHTML;
  b.hidden=false;
  function say(x){b.textContent=x;setTimeout(function(){b.innerHTML=w},1500)}
  function pick(){var s=getSelection(),r=document.createRange();r.selectNodeContents(t);s.removeAllRanges();s.addRange(r)}
  b.addEventListener("click",function(){
    var over=false;
    function done(){if(!over){over=true;say(copied)}}
    function other(){if(over)return;over=true;pick();var ok=false;try{ok=document.execCommand("copy")}catch(e){}say(ok?copied:en?"Hold to copy":"请长按复制")}
    if(navigator.clipboard&&navigator.clipboard.writeText){navigator.clipboard.writeText(t.textContent).then(done,other);setTimeout(other,600)}
    else other()
  })
})
