"""Ad landing pages (引流宝): a page for each campaign, its clicks, conversions told to the platform."""
