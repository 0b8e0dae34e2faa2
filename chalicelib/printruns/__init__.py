"""Print runs: cards in parcels (包裹卡), each with its own code, and none with a row before it is used."""
