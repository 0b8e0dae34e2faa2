(function(){
var near=document.getElementById("near"),button=document.getElementById("locate"),told=document.getElementById("told");
if(!navigator.geolocation||!window.fetch)return;
near.hidden=false;
function say(zh,en,done){told.textContent=document.documentElement.lang==="en"?en:zh;button.disabled=!done}
function refused(){say("无法获取您的位置，请在下方选择门店","We can't get your location. Please choose a store below.",true)}
function busy(){say("当前访问人数较多，请稍后再试","We are getting a lot of visits. Please try again shortly.",true)}
function sent(answer){
if(answer.kind==="closed"){say("活动暂未开放或名额已满","This is closed for now, or all places are taken",true);return}
var query=new URLSearchParams(location.search);
["choose","city","q","page"].forEach(function(name){query.delete(name)});
if(answer.store_id)query.set("store_id",answer.store_id);
location.replace(location.pathname+"?"+query)}
function found(position){
var at=position.coords;
say("正在查找附近门店…","Finding the nearest store…");
fetch(location.pathname.replace(/\/+$/,"")+"/location"+location.search,{method:"POST",credentials:"same-origin",
headers:{"Content-Type":"application/json",Accept:"application/json"},
body:JSON.stringify({latitude:at.latitude,longitude:at.longitude,datum:"wgs84"})})
.then(function(answer){if(!answer.ok&&answer.status!==429)throw answer.status;return answer.json()}).then(sent).catch(busy)}
button.onclick=function(){
say("正在定位…","Locating…");
navigator.geolocation.getCurrentPosition(found,refused,{timeout:10000,maximumAge:60000})}
})();
