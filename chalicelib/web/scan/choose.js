(function(){
var near=document.getElementById("near"),button=document.getElementById("locate"),told=document.getElementById("told");
if(!navigator.geolocation||!window.fetch)return;
near.hidden=false;
function say(zh,en,done){told.textContent=zh;var s=document.createElement("small");s.lang="en";s.textContent=en;told.appendChild(s);button.disabled=!done}
function refused(){say("没有取得位置，请在下面选择门店","No position: please choose a store below",true)}
function busy(){say("现在有点忙，请再试一次","Busy right now, please try again",true)}
function sent(answer){
if(answer.kind==="closed"){say("活动暂未开放或名额已满","Closed for now, or full",true);return}
var query=new URLSearchParams(location.search);
["choose","city","q","page"].forEach(function(name){query.delete(name)});
if(answer.store_id)query.set("store_id",answer.store_id);
location.replace(location.pathname+"?"+query)}
function found(position){
var at=position.coords;
say("正在查找最近的门店…","Finding the nearest store…");
fetch(location.pathname.replace(/\/+$/,"")+"/location"+location.search,{method:"POST",credentials:"same-origin",
headers:{"Content-Type":"application/json",Accept:"application/json"},
body:JSON.stringify({latitude:at.latitude,longitude:at.longitude,datum:"wgs84"})})
.then(function(answer){if(!answer.ok&&answer.status!==429)throw answer.status;return answer.json()}).then(sent).catch(busy)}
button.onclick=function(){
say("正在定位…","Locating…");
navigator.geolocation.getCurrentPosition(found,refused,{timeout:10000,maximumAge:60000})}
})();
