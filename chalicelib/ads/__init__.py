"""Ad landing pages (引流宝): a page for each campaign, its clicks, conversions reported to the platform."""
